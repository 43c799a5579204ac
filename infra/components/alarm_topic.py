"""The topic that every alarm, budget alert and failed delivery of the stack goes to."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.iam import Statement, policy_output, statement
from infra.platform_outputs import KeyOutputs
from infra.settings import Settings


@dataclass(frozen=True, kw_only=True)
class AlarmTopicArgs:
    """The stack, whose settings say who is told."""

    settings: Settings
    keys: KeyOutputs


class AlarmTopic(pulumi.ComponentResource):
    """An encrypted SNS topic for this account's alarms, and a subscription where the settings name an address."""

    arn: pulumi.Output[str]
    """Of the topic as its policy knows it: whoever publishes may."""

    def __init__(self, name: str, args: AlarmTopicArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("drivetrain:platform:AlarmTopic", name, None, opts)
        settings = args.settings
        topic = aws.sns.Topic(
            "alarms",
            name=f"{settings.names.prefix}-alarms",
            kms_master_key_id=args.keys.messages_arn,
            opts=pulumi.ResourceOptions(parent=self),
        )
        child = pulumi.ResourceOptions(parent=topic)
        policy = aws.sns.TopicPolicy("alarms", arn=topic.arn, policy=topic_policy(topic.arn, settings), opts=child)
        self.arn = policy.arn
        if settings.observability.alarm_email is not None:
            aws.sns.TopicSubscription(
                "alarms-email",
                topic=topic.arn,
                protocol="email",
                endpoint=settings.observability.alarm_email,
                opts=child,
            )
        aws.cloudwatch.MetricAlarm(
            "alarms-undelivered",
            name=f"{settings.names.prefix}-alarms-undelivered",
            alarm_description="An alarm could not be delivered: the subscriber's address refuses it, or the key does",
            namespace="AWS/SNS",
            metric_name="NumberOfNotificationsFailed",
            dimensions={"TopicName": topic.name},
            statistic="Sum",
            period=300,
            evaluation_periods=1,
            threshold=0,
            comparison_operator="GreaterThanThreshold",
            # SNS publishes the metric only when there was something to deliver.
            treat_missing_data="notBreaching",
            alarm_actions=[self.arn],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({"arn": self.arn})


def topic_policy(arn: pulumi.Input[str], settings: Settings) -> pulumi.Output[str]:
    """CloudWatch, Budgets and EventBridge publish for this account; nobody does so in the clear."""
    this_account = {"StringEquals": {"aws:SourceAccount": settings.account_id}}
    publishers = ["budgets.amazonaws.com", "cloudwatch.amazonaws.com", "events.amazonaws.com"]
    return policy_output(
        statement("Publish", ["sns:Publish"], [arn], this_account, principals={"Service": publishers}),
        Statement(
            sid="TlsOnly",
            effect="Deny",
            actions=("sns:Publish",),
            resources=(arn,),
            conditions={"Bool": {"aws:SecureTransport": "false"}},
            principals="*",
        ),
    )
