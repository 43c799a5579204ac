"""What starts a pipeline: data that lands, and the schedule, if the model has one.

EventBridge retries for a day by itself; what it cannot deliver ends in a dead-letter queue whose depth is an alarm.
"""

import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.model_role import ModelRole, ModelRoleArgs
from infra.iam import Statement, deny_all, policy_output, statement
from infra.platform_outputs import PlatformOutputs
from models.spec import ModelSpec

_RETENTION_S = 14 * 24 * 3600
"""The longest that SQS keeps a message."""


@dataclass(frozen=True, kw_only=True)
class TriggersArgs:
    """The model, the platform and the state machine to start."""

    spec: ModelSpec
    platform: PlatformOutputs
    state_machine_arn: pulumi.Input[str]


class Triggers(pulumi.ComponentResource):
    """EventBridge rules and their dead-letter queue."""

    dead_letters_name: pulumi.Output[str]

    def __init__(self, name: str, args: TriggersArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("drivetrain:model:Triggers", name, None, opts)
        self._args, self._name = args, name
        self._child = pulumi.ResourceOptions(parent=self)
        self._role = self._events_role()
        self._queue = self._dead_letters()
        self.dead_letters_name = self._queue.name
        model = args.spec.name
        new_data = self._rule("new-data", f"Data of the model {model} landed", pattern=_new_data(args))
        self._target(
            "new-data",
            new_data,
            transformer=aws.cloudwatch.EventTargetInputTransformerArgs(
                input_paths={"key": "$.detail.object.key"},
                # Without quotes: EventBridge puts them around text itself, and escapes what is inside.
                input_template='{"prefix": <key>}',
            ),
        )
        if args.spec.schedule:
            schedule = self._rule("schedule", f"Train the model {model} anew", schedule=args.spec.schedule)
            self._target("schedule", schedule, constant=json.dumps({"prefix": f"{model}/"}))
        self.register_outputs({"dead_letters": self._queue.arn})

    def _rule(
        self, suffix: str, description: str, *, pattern: pulumi.Input[str] | None = None, schedule: str | None = None
    ) -> aws.cloudwatch.EventRule:
        return aws.cloudwatch.EventRule(
            f"{self._name}-{suffix}",
            name=self._rule_name(suffix),
            description=description,
            event_pattern=pattern,
            schedule_expression=schedule,
            state="ENABLED",
            opts=self._child,
        )

    def _target(
        self,
        suffix: str,
        rule: aws.cloudwatch.EventRule,
        *,
        transformer: aws.cloudwatch.EventTargetInputTransformerArgs | None = None,
        constant: str | None = None,
    ) -> None:
        aws.cloudwatch.EventTarget(
            f"{self._name}-{suffix}",
            rule=rule.name,
            target_id="pipeline",
            arn=self._args.state_machine_arn,
            role_arn=self._role.arn,
            input_transformer=transformer,
            input=constant,
            retry_policy=aws.cloudwatch.EventTargetRetryPolicyArgs(
                maximum_event_age_in_seconds=24 * 3600, maximum_retry_attempts=185
            ),
            dead_letter_config=aws.cloudwatch.EventTargetDeadLetterConfigArgs(arn=self._queue.arn),
            opts=pulumi.ResourceOptions(parent=rule),
        )

    def _events_role(self) -> ModelRole:
        platform, job = self._args.platform, f"{self._args.spec.name}-events"
        return ModelRole(
            job,
            ModelRoleArgs(
                platform=platform,
                job=job,
                service="events.amazonaws.com",
                description=f"Starts the pipeline of the model {self._args.spec.name}",
                statements=[statement("Start", ["states:StartExecution"], [self._args.state_machine_arn])],
                source_arns=[self._rule_arn(suffix) for suffix in ("new-data", "schedule")],
            ),
            self._child,
        )

    def _dead_letters(self) -> aws.sqs.Queue:
        platform = self._args.platform
        queue = aws.sqs.Queue(
            f"{self._name}-dead-letters",
            name=f"{platform.names.state_machine(self._args.spec.name)}-dead-letters",
            message_retention_seconds=_RETENTION_S,
            kms_master_key_id=platform.keys.messages_arn,
            kms_data_key_reuse_period_seconds=3600,
            opts=self._child,
        )
        aws.sqs.QueuePolicy(
            f"{self._name}-dead-letters",
            queue_url=queue.url,
            policy=policy_output(*self._queue_statements(queue)),
            opts=pulumi.ResourceOptions(parent=queue),
        )
        return queue

    def _queue_statements(self, queue: aws.sqs.Queue) -> list[Statement]:
        return [
            statement(
                "DeadLetters",
                ["sqs:SendMessage"],
                [queue.arn],
                {"ArnEquals": {"aws:SourceArn": [self._rule_arn(suffix) for suffix in ("new-data", "schedule")]}},
                principals={"Service": ["events.amazonaws.com"]},
            ),
            deny_all("TlsOnly", "sqs", [queue.arn], {"Bool": {"aws:SecureTransport": "false"}}),
        ]

    def _rule_name(self, suffix: str) -> str:
        return f"{self._args.platform.names.state_machine(self._args.spec.name)}-{suffix}"

    def _rule_arn(self, suffix: str) -> str:
        platform = self._args.platform
        return f"arn:aws:events:{platform.region}:{platform.account_id}:rule/{self._rule_name(suffix)}"


def _new_data(args: TriggersArgs) -> pulumi.Output[str]:
    """Objects that S3 reports for the model's folder of the landing bucket."""
    return pulumi.Output.json_dumps(
        {
            "source": ["aws.s3"],
            "detail-type": ["Object Created"],
            "detail": {
                "bucket": {"name": [args.platform.buckets["landing"].name]},
                "object": {"key": [{"prefix": f"{args.spec.name}/"}]},
            },
        }
    )
