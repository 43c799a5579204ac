"""A model's pipeline: its jobs and their roles, the state machine, what starts it, and when it is said to be unwell."""

from dataclasses import dataclass

import pulumi

from infra.components.alarms import AlarmArgs, Metric, alarm
from infra.components.glue_jobs import GlueJobs, GlueJobsArgs
from infra.components.job_roles import JobRoles, JobRolesArgs
from infra.components.state_machine import StateMachine, StateMachineArgs
from infra.components.triggers import Triggers, TriggersArgs
from infra.platform_outputs import PlatformOutputs
from models.release import Release
from models.spec import ModelSpec

# Aborted ones are left out: that is somebody's decision.
_FAILURES = {
    "ExecutionsFailed": "failed",
    "ExecutionsTimedOut": "timed-out",
}


@dataclass(frozen=True, kw_only=True)
class PipelineArgs:
    """The model, the platform, the package group it registers in, and what is live."""

    spec: ModelSpec
    platform: PlatformOutputs
    package_group: pulumi.Input[str]
    release: Release | None


class Pipeline(pulumi.ComponentResource):
    """Everything between data that lands and a proposed release."""

    state_machine_arn: pulumi.Output[str]

    def __init__(self, name: str, args: PipelineArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("drivetrain:model:Pipeline", name, None, opts)
        self._args, self._name = args, name
        self._child = pulumi.ResourceOptions(parent=self)
        spec, platform = args.spec, args.platform
        roles = JobRoles(f"{name}-jobs", JobRolesArgs(spec=spec, platform=platform), self._child)
        jobs = GlueJobs(
            f"{name}-glue",
            GlueJobsArgs(spec=spec, platform=platform, ingest_role=roles.ingest, validate_role=roles.validate),
            self._child,
        )
        machine = StateMachine(
            f"{name}-pipeline",
            StateMachineArgs(
                spec=spec,
                platform=platform,
                roles=roles,
                jobs=jobs,
                package_group=args.package_group,
                release=args.release,
            ),
            self._child,
        )
        triggers = Triggers(
            name, TriggersArgs(spec=spec, platform=platform, state_machine_arn=machine.arn), self._child
        )
        self._alarms(machine, triggers)
        self.state_machine_arn = machine.arn
        self.register_outputs({"state_machine_arn": self.state_machine_arn})

    def _alarms(self, machine: StateMachine, triggers: Triggers) -> None:
        platform = self._args.platform
        machine_name = platform.names.state_machine(self._args.spec.name)
        for metric, suffix in _FAILURES.items():
            alarm(
                f"{self._name}-pipeline-{suffix}",
                AlarmArgs(
                    name=f"{machine_name}-pipeline-{suffix}",
                    description=f"An execution of the pipeline {machine_name} {suffix.replace('-', ' ')}",
                    threshold=1,
                    topic_arn=platform.alarm_topic_arn,
                    # No execution in a period is the normal case.
                    missing_data="notBreaching",
                    metric=Metric(
                        namespace="AWS/States",
                        name=metric,
                        dimensions={"StateMachineArn": machine.arn},
                        period_s=300,
                    ),
                ),
                self._child,
            )
        alarm(
            f"{self._name}-dead-letters",
            AlarmArgs(
                name=f"{machine_name}-dead-letters",
                description=f"EventBridge could not start the pipeline {machine_name}",
                threshold=1,
                topic_arn=platform.alarm_topic_arn,
                # SQS stops reporting on a queue that has been empty and unused for hours.
                missing_data="notBreaching",
                metric=Metric(
                    namespace="AWS/SQS",
                    name="ApproximateNumberOfMessagesVisible",
                    dimensions={"QueueName": triggers.dead_letters_name},
                    statistic="Maximum",
                    period_s=300,
                ),
            ),
            self._child,
        )
