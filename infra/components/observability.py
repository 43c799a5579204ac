"""What the account's jobs log to, what it may cost, and the dashboard.

SageMaker makes the log groups of its jobs itself, under fixed names, without an end and without a key; declared here
first, it writes into them as they are. The groups of one model are declared with the model.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.alarm_topic import AlarmTopic, AlarmTopicArgs
from infra.components.dashboard import dashboard_body
from infra.iam import policy_document, statement
from infra.platform_outputs import KeyOutputs
from infra.settings import Settings
from models.spec import ModelSpec

JOB_LOG_GROUPS = ("/aws/sagemaker/TrainingJobs", "/aws/sagemaker/ProcessingJobs", "/aws/sagemaker/TransformJobs")
"""Those that all models share."""


@dataclass(frozen=True, kw_only=True)
class ObservabilityArgs:
    """The stack, its keys, and the models on its dashboard."""

    settings: Settings
    keys: KeyOutputs
    specs: Sequence[ModelSpec]


class Observability(pulumi.ComponentResource):
    """Log groups of the jobs, the alarm topic, the budget and the dashboard."""

    alarm_topic_arn: pulumi.Output[str]

    def __init__(self, name: str, args: ObservabilityArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("drivetrain:platform:Observability", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._settings = args.settings
        self._log_groups(args.keys)
        topic = AlarmTopic("alarms", AlarmTopicArgs(settings=args.settings, keys=args.keys), self._child)
        self.alarm_topic_arn = topic.arn
        self._budget(topic.arn)
        aws.cloudwatch.Dashboard(
            "models",
            dashboard_name=args.settings.names.prefix,
            dashboard_body=json.dumps(dashboard_body(args.settings.names, args.specs)),
            opts=self._child,
        )
        self.register_outputs({"alarm_topic_arn": self.alarm_topic_arn})

    def _log_groups(self, keys: KeyOutputs) -> None:
        # An account has one of each: a pull request's stack logs to those of dev.
        for group in () if self._settings.ephemeral else JOB_LOG_GROUPS:
            aws.cloudwatch.LogGroup(
                group.strip("/").replace("/", "-"),
                name=group,
                retention_in_days=self._settings.observability.log_retention_days,
                kms_key_id=keys.logs_arn,
                opts=self._child,
            )
        aws.cloudwatch.LogResourcePolicy(
            "deliver-pipeline-logs",
            policy_name=f"{self._settings.names.prefix}-deliver-pipeline-logs",
            policy_document=delivery_policy(self._settings),
            opts=self._child,
        )

    def _budget(self, topic_arn: pulumi.Output[str]) -> None:
        limit = self._settings.observability.budget_usd_per_month
        alerts = (("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100))
        aws.budgets.Budget(
            "monthly",
            name=f"{self._settings.names.prefix}-monthly",
            budget_type="COST",
            time_unit="MONTHLY",
            limit_amount=str(limit),
            limit_unit="USD",
            notifications=[
                aws.budgets.BudgetNotificationArgs(
                    comparison_operator="GREATER_THAN",
                    notification_type=kind,
                    threshold=percent,
                    threshold_type="PERCENTAGE",
                    subscriber_sns_topic_arns=[topic_arn],
                )
                for kind, percent in alerts
            ],
            opts=self._child,
        )


def delivery_policy(settings: Settings) -> str:
    """Step Functions hands its logs to the log delivery service, which writes them into the pipelines' groups."""
    groups = f"arn:aws:logs:{settings.region}:{settings.account_id}:log-group:/aws/vendedlogs/states/"
    return policy_document(
        statement(
            "DeliverPipelineLogs",
            ["logs:CreateLogStream", "logs:PutLogEvents"],
            [f"{groups}{settings.names.prefix}-*:*"],
            {
                "StringEquals": {"aws:SourceAccount": settings.account_id},
                "ArnLike": {"aws:SourceArn": f"arn:aws:logs:{settings.region}:{settings.account_id}:*"},
            },
            principals={"Service": ["delivery.logs.amazonaws.com"]},
        )
    )
