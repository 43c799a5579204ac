"""What tells GitHub that a release was proposed, so that the workflow `release` checks and adopts it.

The token that GitHub wants is in nobody's file and in no state, not even encrypted: the connection is declared with a
placeholder that no service accepts, `drivetrain github-token STACK` hands the real one to EventBridge, and EventBridge
keeps it in a secret of its own in Secrets Manager. What cannot be delivered, be it for want of a
token, ends in a dead-letter queue whose depth is an alarm.
"""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.alarms import AlarmArgs, Metric, alarm
from infra.iam import deny_all, job_role, policy_output, statement
from infra.platform_outputs import KeyOutputs
from infra.settings import GitHubSettings, Settings
from pipelines.release import RELEASE_PROPOSED

EVENT_TYPE = "release-proposed"
"""The `repository_dispatch` that the workflow `release` waits for."""
_DISPATCHES = "https://api.github.com/repos/{repository}/dispatches"
# EventBridge puts quotes around text itself where the placeholder stands outside of them, and escapes what is inside.
_TEMPLATE = (
    f'{{"event_type": "{EVENT_TYPE}", '
    '"client_payload": {"model": <model>, "stack": "STACK", "execution": <execution>}}'
)
_PLACEHOLDER = "no token yet, see drivetrain github-token"
_RETENTION_S = 14 * 24 * 3600


@dataclass(frozen=True, kw_only=True)
class AnnouncementArgs:
    """The stack, the repository that is told, and the topic that hears when it cannot be."""

    settings: Settings
    github: GitHubSettings
    keys: KeyOutputs
    alarm_topic_arn: pulumi.Input[str]


class Announcement(pulumi.ComponentResource):
    """A rule on proposed releases, GitHub as its target, and what keeps the events that did not arrive."""

    def __init__(self, name: str, args: AnnouncementArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("drivetrain:platform:Announcement", name, None, opts)
        self._args, self._names = args, args.settings.names
        self._child = pulumi.ResourceOptions(parent=self)
        rule = aws.cloudwatch.EventRule(
            "release-proposed",
            name=self._names.announcement,
            description=f"Tells {args.github.repository} of each release that training proposes",
            event_pattern=pulumi.Output.json_dumps(
                {"source": [self._names.event_source], "detail-type": [RELEASE_PROPOSED]}
            ),
            state="ENABLED",
            opts=self._child,
        )
        destination = self._destination()
        queue = self._dead_letters(rule.arn)
        aws.cloudwatch.EventTarget(
            "release-proposed",
            rule=rule.name,
            target_id="github",
            arn=destination.arn,
            role_arn=self._role(destination.arn).arn,
            input_transformer=aws.cloudwatch.EventTargetInputTransformerArgs(
                input_paths={"model": "$.detail.model", "execution": "$.detail.execution"},
                input_template=_TEMPLATE.replace("STACK", args.settings.stack),
            ),
            retry_policy=aws.cloudwatch.EventTargetRetryPolicyArgs(
                maximum_event_age_in_seconds=24 * 3600, maximum_retry_attempts=185
            ),
            dead_letter_config=aws.cloudwatch.EventTargetDeadLetterConfigArgs(arn=queue.arn),
            opts=pulumi.ResourceOptions(parent=rule),
        )
        self.register_outputs({"rule": rule.name})

    def _destination(self) -> aws.cloudwatch.EventApiDestination:
        connection = aws.cloudwatch.EventConnection(
            "github",
            name=self._names.announcement,
            description="Authorises the dispatch of workflows at GitHub",
            authorization_type="API_KEY",
            auth_parameters=aws.cloudwatch.EventConnectionAuthParametersArgs(
                api_key=aws.cloudwatch.EventConnectionAuthParametersApiKeyArgs(
                    key="Authorization", value=pulumi.Output.secret(_PLACEHOLDER)
                )
            ),
            # The token comes from elsewhere and must outlive the next deployment.
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["authParameters"]),
        )
        return aws.cloudwatch.EventApiDestination(
            "github",
            name=self._names.announcement,
            description=f"{self._args.github.repository} at GitHub",
            invocation_endpoint=_DISPATCHES.format(repository=self._args.github.repository),
            http_method="POST",
            invocation_rate_limit_per_second=1,
            connection_arn=connection.arn,
            opts=pulumi.ResourceOptions(parent=connection),
        )

    def _role(self, destination_arn: pulumi.Input[str]) -> aws.iam.Role:
        names = self._names
        rule = f"arn:aws:events:{names.region}:{names.account_id}:rule/{names.announcement}"
        return job_role(
            "announce-events",
            names=names,
            service="events.amazonaws.com",
            description="Tells GitHub of proposed releases",
            source_arns=[rule],
            statements=[statement("Tell", ["events:InvokeApiDestination"], [destination_arn])],
            opts=self._child,
        )

    def _dead_letters(self, rule_arn: pulumi.Input[str]) -> aws.sqs.Queue:
        name = f"{self._names.announcement}-dead-letters"
        queue = aws.sqs.Queue(
            "release-proposed-dead-letters",
            name=name,
            message_retention_seconds=_RETENTION_S,
            kms_master_key_id=self._args.keys.messages_arn,
            kms_data_key_reuse_period_seconds=3600,
            opts=self._child,
        )
        aws.sqs.QueuePolicy(
            "release-proposed-dead-letters",
            queue_url=queue.url,
            policy=policy_output(
                statement(
                    "DeadLetters",
                    ["sqs:SendMessage"],
                    [queue.arn],
                    {"ArnEquals": {"aws:SourceArn": rule_arn}},
                    principals={"Service": ["events.amazonaws.com"]},
                ),
                deny_all("TlsOnly", "sqs", [queue.arn], {"Bool": {"aws:SecureTransport": "false"}}),
            ),
            opts=pulumi.ResourceOptions(parent=queue),
        )
        alarm(
            "release-proposed-dead-letters",
            AlarmArgs(
                name=name,
                description="GitHub could not be told of a proposed release: see the queue of that name, and the token",
                threshold=1,
                topic_arn=self._args.alarm_topic_arn,
                missing_data="notBreaching",
                metric=Metric(
                    namespace="AWS/SQS",
                    name="ApproximateNumberOfMessagesVisible",
                    dimensions={"QueueName": queue.name},
                    statistic="Maximum",
                    period_s=300,
                ),
            ),
            self._child,
        )
        return queue
