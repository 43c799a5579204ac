"""The two Glue jobs of a model, in the VPC, under the security configuration, with logs that exist beforehand.

The log groups are declared because one that Glue makes is never emptied.
"""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.glue_code import STEPS, GlueCode, GlueCodeArgs, Step
from infra.components.model_role import ModelRole
from infra.platform_outputs import PlatformOutputs
from infra.sources import wheels_key
from models.spec import ModelSpec
from pipelines.dataset import GLUE_TIMEOUT_S
from pipelines.log_groups import STREAMS, glue_log_group, glue_log_prefix

_CONCURRENT_RUNS = 5
"""Files that land together start executions together; the tables take concurrent commits."""


@dataclass(frozen=True, kw_only=True)
class GlueJobsArgs:
    """The model, the platform and the roles of the jobs."""

    spec: ModelSpec
    platform: PlatformOutputs
    ingest_role: ModelRole
    validate_role: ModelRole


class GlueJobs(pulumi.ComponentResource):
    """Ingest and validate."""

    names: dict[Step, pulumi.Output[str]]

    def __init__(self, name: str, args: GlueJobsArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("drivetrain:model:GlueJobs", name, None, opts)
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        platform = args.platform
        self._code = GlueCode(
            f"{name}-code",
            GlueCodeArgs(
                project_dir=platform.project_dir,
                table=args.spec.table,
                bucket=platform.buckets["artifacts"],
                folder=f"glue/{args.spec.name}",
            ),
            self._child,
        )
        roles: dict[Step, ModelRole] = {"ingest": args.ingest_role, "validate": args.validate_role}
        self.names = {step: self._job(step, roles[step]) for step in STEPS}
        self.register_outputs({"names": self.names})

    def _job(self, step: Step, role: ModelRole) -> pulumi.Output[str]:
        spec, platform = self._args.spec, self._args.platform
        name = platform.names.glue_job(spec.name, step)
        groups = [self._log_group(step, role, name, stream) for stream in STREAMS]
        job = aws.glue.Job(
            f"{spec.name}-{step}",
            name=name,
            description=f"{step.capitalize()} the data of the model {spec.name}",
            role_arn=role.arn,
            glue_version="5.0",
            worker_type="G.1X",
            number_of_workers=2,
            timeout=GLUE_TIMEOUT_S // 60,
            # Step Functions retries what may pass, and it alone.
            max_retries=0,
            execution_property=aws.glue.JobExecutionPropertyArgs(max_concurrent_runs=_CONCURRENT_RUNS),
            connections=platform.network.glue_connections,
            security_configuration=platform.security_configuration,
            command=aws.glue.JobCommandArgs(
                name="glueetl", python_version="3", script_location=self._code.scripts[step]
            ),
            default_arguments=self._arguments(name),
            opts=pulumi.ResourceOptions(parent=self, depends_on=groups),
        )
        return job.name

    def _arguments(self, job: str) -> dict[str, pulumi.Input[str]]:
        """Glue's own arguments; the state machine gives the script's."""
        platform = self._args.platform
        wheels = pulumi.Output.concat(
            "s3://", platform.buckets["artifacts"].name, "/", wheels_key(platform.project_dir)
        )
        return {
            "--job-language": "python",
            "--extra-py-files": self._code.packages,
            "--additional-python-modules": wheels,
            # The wheels are in the zip: the VPC has no way to a package index.
            "--python-modules-installer-option": "--no-index",
            "--custom-logGroup-prefix": glue_log_prefix(job),
            "--enable-metrics": "true",
            "--enable-observability-metrics": "true",
            "--job-bookmark-option": "job-bookmark-disable",
        }

    def _log_group(self, step: Step, role: ModelRole, job: str, stream: str) -> aws.cloudwatch.LogGroup:
        platform = self._args.platform
        name = platform.security_configuration.apply(
            lambda configuration: glue_log_group(
                job, security_configuration=configuration, role=role.name, stream=stream
            )
        )
        return aws.cloudwatch.LogGroup(
            f"{self._args.spec.name}-{step}-{stream}",
            name=name,
            retention_in_days=platform.settings.observability.log_retention_days,
            kms_key_id=platform.keys.logs_arn,
            opts=self._child,
        )
