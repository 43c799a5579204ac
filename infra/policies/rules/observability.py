"""Logs and alarms, and the budget."""

from infra.policies.checks import all_of, at_least, no_statement, not_one_of, one_of, present
from infra.policies.resources import Resource, Stack
from infra.policies.rule import REMOVED, ResourceRule, Rule, StackRule
from infra.policies.sources import aws_docs, ml_lens, security_hub

_GROUP = ("aws:cloudwatch/logGroup:LogGroup",)
_ALARM = ("aws:cloudwatch/metricAlarm:MetricAlarm", "aws:cloudwatch/compositeAlarm:CompositeAlarm")
_LOG_POLICY = ("aws:cloudwatch/logResourcePolicy:LogResourcePolicy",)
_BUDGET = ("aws:budgets/budget:Budget",)
_GOOD_GROUP = {"name": "/aws/glue/jobs", "retentionInDays": 365, "kmsKeyId": "key"}
_GOOD_ALARM = {
    "alarmActions": ["arn:aws:sns:eu-west-1:111111111111:alarms"],
    "alarmDescription": "The endpoint answers with errors",
    "treatMissingData": "notBreaching",
    "actionsEnabled": True,
}
_DELIVERS = {
    "policyDocument": {
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "delivery.logs.amazonaws.com"},
                "Action": "logs:PutLogEvents",
                "Resource": "arn:aws:logs:eu-west-1:111111111111:log-group:/aws/vendedlogs/*",
            }
        ]
    }
}
_ALERT = {"notificationType": "ACTUAL", "threshold": 80, "subscriberSnsTopicArns": ["topic"]}


def _budgeted(_vpc: Resource, stack: Stack) -> str | None:
    return None if stack.of(*_BUDGET) else "the stack declares no Budget"


RULES: tuple[Rule, ...] = (
    ResourceRule(
        id="logs-retention-year",
        title="Logs are kept for a year",
        sources=(security_hub("CloudWatch.16"),),
        severity="medium",
        types=_GROUP,
        check=at_least("retentionInDays", 365),
        passing=_GOOD_GROUP,
        broken_by={"retentionInDays": 30},
    ),
    ResourceRule(
        id="logs-retention-ends",
        title="No log is kept for ever",
        sources=(ml_lens("MLSEC03-BP05"), ml_lens("MLSUS03-BP02")),
        severity="low",
        types=_GROUP,
        check=lambda properties: None if properties.at("retentionInDays") else "retentionInDays is not set: for ever",
        passing=_GOOD_GROUP,
        broken_by={"retentionInDays": 0},
    ),
    ResourceRule(
        id="logs-encrypted",
        title="Logs are encrypted with a KMS key of one's own",
        sources=(
            aws_docs("Encrypting log data", "AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html"),
            ml_lens("MLSEC02-BP01"),
        ),
        severity="medium",
        types=_GROUP,
        check=present("kmsKeyId"),
        passing=_GOOD_GROUP,
        broken_by={"kmsKeyId": REMOVED},
    ),
    ResourceRule(
        id="logs-policy-not-public",
        title="A policy of CloudWatch Logs lets nobody unknown write",
        sources=(
            aws_docs("Resource policies of logs", "AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html"),
        ),
        severity="high",
        types=_LOG_POLICY,
        check=no_statement(["policyDocument"], lambda each: each.public, "allows everyone"),
        passing=_DELIVERS,
        broken_by={
            "policyDocument": {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "logs:PutLogEvents"}]}
        },
    ),
    ResourceRule(
        id="cloudwatch-alarm-told",
        title="An alarm tells someone",
        sources=(security_hub("CloudWatch.15"), ml_lens("MLOE06-BP01")),
        severity="high",
        types=_ALARM,
        check=present("alarmActions"),
        passing=_GOOD_ALARM,
        broken_by={"alarmActions": []},
    ),
    ResourceRule(
        id="cloudwatch-alarm-active",
        title="An alarm's actions are on",
        sources=(security_hub("CloudWatch.17"),),
        severity="high",
        types=_ALARM,
        check=not_one_of("actionsEnabled", False),
        passing=_GOOD_ALARM,
        broken_by={"actionsEnabled": False},
    ),
    ResourceRule(
        id="cloudwatch-alarm-described",
        title="An alarm says what it means and what its silence means",
        sources=(
            aws_docs("Missing data", "AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html"),
            ml_lens("MLOE06-BP01"),
        ),
        severity="low",
        types=_ALARM[:1],
        check=all_of(
            present("alarmDescription"),
            one_of("treatMissingData", "notBreaching", "breaching", "ignore", "missing"),
        ),
        passing=_GOOD_ALARM,
        broken_by={"treatMissingData": REMOVED},
    ),
    ResourceRule(
        id="budgets-alert",
        title="A budget tells someone before it is spent",
        sources=(ml_lens("MLCOST04-BP12"),),
        severity="medium",
        types=_BUDGET,
        check=present("notifications"),
        passing={"limitAmount": "200", "timeUnit": "MONTHLY", "notifications": [_ALERT]},
        broken_by={"notifications": []},
    ),
    StackRule(
        id="budgets-stack",
        title="Every stack with a network of its own has a budget",
        sources=(ml_lens("MLCOST04-BP12"),),
        severity="medium",
        types=("aws:ec2/vpc:Vpc",),
        relation=_budgeted,
        passing=(Resource(type="aws:ec2/vpc:Vpc", name="vpc"), Resource(type=_BUDGET[0], name="monthly")),
        failing=(Resource(type="aws:ec2/vpc:Vpc", name="vpc"),),
    ),
)
