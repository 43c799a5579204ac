"""What watching a stack takes: alarms, logs, events, queues, topics, the budget, and the secrets of connections."""

from collections.abc import Sequence

from infra.bootstrap.reach import Reach
from infra.iam import Statement, statement


def operations(reach: Reach) -> list[Statement]:
    """Alarms, logs, events, queues, topics, the budget and the secrets of connections."""
    names, account = f"{reach.prefix}-*", reach.names.account_id
    dashboards = f"arn:aws:cloudwatch::{account}:dashboard/{reach.prefix}*"
    groups = reach.arn("logs", *(f"log-group:{each}" for each in _log_groups(reach)))
    rules = ["DeleteRule", "DisableRule", "EnableRule", "PutRule", "PutTargets", "RemoveTargets", "TagResource"]
    secrets = ["CreateSecret", "DeleteSecret", "PutSecretValue", "TagResource", "UntagResource", "UpdateSecret"]
    connections = [
        f"{verb}{what}" for verb in ("Create", "Delete", "Update") for what in ("Connection", "ApiDestination")
    ]
    return [
        statement(
            "Alarms",
            [f"cloudwatch:{each}" for each in ("DeleteAlarms", "PutMetricAlarm", "TagResource", "UntagResource")],
            reach.arn("cloudwatch", f"alarm:{names}"),
        ),
        statement("Dashboards", ["cloudwatch:DeleteDashboards", "cloudwatch:PutDashboard"], [dashboards]),
        statement(
            "Logs", [f"logs:{each}" for each in _LOG_CALLS.split()], [*groups, *(f"{each}:*" for each in groups)]
        ),
        _log_delivery(),
        statement(
            "Rules", [f"events:{each}" for each in (*rules, "UntagResource")], reach.arn("events", f"rule/{names}")
        ),
        statement(
            "Connections",
            [f"events:{each}" for each in connections],
            reach.arn("events", f"connection/{names}", f"api-destination/{names}"),
        ),
        # EventBridge keeps a connection's credentials in a secret of its own, made with the caller's rights.
        statement(
            "Secrets",
            [f"secretsmanager:{each}" for each in (*secrets, "GetSecretValue")],
            reach.arn("secretsmanager", f"secret:events!connection/{names}", f"secret:{names}"),
        ),
        statement("Queues", [f"sqs:{each}" for each in _QUEUE_CALLS.split()], reach.arn("sqs", names)),
        statement("Topics", [f"sns:{each}" for each in _TOPIC_CALLS.split()], reach.arn("sns", names)),
        statement(
            "Budget",
            ["budgets:ModifyBudget", "budgets:TagResource", "budgets:UntagResource"],
            [f"arn:aws:budgets::{account}:budget/{names}"],
        ),
        statement(
            "Unsubscribe",
            ["sns:Unsubscribe"],
            ["*"],
            any_resource_because="the action knows no resource",
        ),
    ]


_LOG_CALLS = (
    "AssociateKmsKey CreateLogGroup DeleteLogGroup DeleteRetentionPolicy FilterLogEvents GetLogEvents "
    "PutRetentionPolicy TagResource UntagResource"
)
_QUEUE_CALLS = "CreateQueue DeleteQueue SetQueueAttributes TagQueue UntagQueue"
_TOPIC_CALLS = "CreateTopic DeleteTopic Publish SetTopicAttributes Subscribe TagResource UntagResource"


def _log_groups(reach: Reach) -> Sequence[str]:
    """The groups of SageMaker's three kinds of jobs are the account's; all others carry the stack's name."""
    own = ("/aws/vpc/flow-logs/", "/aws/sagemaker/Endpoints/", "/aws/vendedlogs/states/", "/aws-glue/")
    jobs = ("/aws/sagemaker/TrainingJobs", "/aws/sagemaker/ProcessingJobs", "/aws/sagemaker/TransformJobs")
    return [*(f"{folder}{reach.prefix}*" for folder in own), *jobs]


def _log_delivery() -> Statement:
    return statement(
        "LogDelivery",
        [
            "cloudwatch:GetMetricData",
            "cloudwatch:GetMetricStatistics",
            "logs:CreateLogDelivery",
            "logs:DeleteLogDelivery",
            "logs:DeleteResourcePolicy",
            "logs:GetLogDelivery",
            "logs:ListLogDeliveries",
            "logs:PutResourcePolicy",
            "logs:UpdateLogDelivery",
        ],
        ["*"],
        any_resource_because="the delivery of logs, their resource policies and metrics know no resource",
    )
