"""A model's state machine: the definition that `pipelines/` writes, its role, its log."""

import json
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.components.glue_jobs import GlueJobs
from infra.components.job_roles import JobRoles
from infra.components.model_role import ModelRole, ModelRoleArgs
from infra.components.pipeline_role import pipeline_statements
from infra.names import Image
from infra.platform_outputs import PlatformOutputs
from infra.sources import content_tag
from models.release import Release
from models.spec import ModelSpec
from pipelines.jobs import job_prefix
from pipelines.state_machine import definition
from pipelines.targets import ImageTarget, PipelineTargets, Released

_DATA_KEY_REUSE_S = 300
"""How long Step Functions uses a data key before it asks KMS for another: the longest it defaults to."""


@dataclass(frozen=True, kw_only=True)
class StateMachineArgs:
    """The model, its jobs and roles, the package group it registers in, and what is live."""

    spec: ModelSpec
    platform: PlatformOutputs
    roles: JobRoles
    jobs: GlueJobs
    package_group: pulumi.Input[str]
    release: Release | None


class StateMachine(pulumi.ComponentResource):
    """The state machine, logged in full, traced and encrypted: its data are identifiers and metrics, no rows."""

    arn: pulumi.Output[str]
    name: pulumi.Output[str]

    def __init__(self, name: str, args: StateMachineArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("drivetrain:model:StateMachine", name, None, opts)
        spec, platform = args.spec, args.platform
        child = pulumi.ResourceOptions(parent=self)
        log = aws.cloudwatch.LogGroup(
            name,
            # Step Functions has a standing permission for this prefix; others use up the account's resource policy.
            name=f"/aws/vendedlogs/states/{platform.names.state_machine(spec.name)}",
            retention_in_days=platform.settings.observability.log_retention_days,
            kms_key_id=platform.keys.logs_arn,
            opts=child,
        )
        machine = aws.sfn.StateMachine(
            name,
            name=platform.names.state_machine(spec.name),
            type="STANDARD",
            role_arn=self._role(args).arn,
            definition=machine_definition(args),
            logging_configuration=aws.sfn.StateMachineLoggingConfigurationArgs(
                level="ALL", include_execution_data=True, log_destination=pulumi.Output.concat(log.arn, ":*")
            ),
            tracing_configuration=aws.sfn.StateMachineTracingConfigurationArgs(enabled=True),
            encryption_configuration=aws.sfn.StateMachineEncryptionConfigurationArgs(
                type="CUSTOMER_MANAGED_KMS_KEY",
                kms_key_id=platform.keys.data_arn,
                kms_data_key_reuse_period_seconds=_DATA_KEY_REUSE_S,
            ),
            opts=child,
        )
        self.arn, self.name = machine.arn, machine.name
        self.register_outputs({"arn": self.arn})

    def _role(self, args: StateMachineArgs) -> ModelRole:
        platform, job = args.platform, f"{args.spec.name}-pipeline"
        handed = [args.roles.train.arn, args.roles.evaluate.arn]
        return ModelRole(
            job,
            ModelRoleArgs(
                platform=platform,
                job=job,
                service="states.amazonaws.com",
                description=f"The pipeline of the model {args.spec.name}",
                statements=pipeline_statements(args.spec, platform, handed),
                source_arns=[f"arn:aws:states:{platform.region}:{platform.account_id}:stateMachine:*"],
            ),
            pulumi.ResourceOptions(parent=self),
        )


def machine_definition(args: StateMachineArgs) -> pulumi.Output[str]:
    """The definition as JSON, once what it names exists."""
    spec, platform = args.spec, args.platform
    known: pulumi.Output[dict[str, Any]] = pulumi.Output.from_input(
        {
            "landing_bucket": platform.buckets["landing"].name,
            "lake_bucket": platform.buckets["lake"].name,
            "artifacts_bucket": platform.buckets["artifacts"].name,
            "curated_database": platform.databases["curated"],
            "quarantine_database": platform.databases["quarantine"],
            "ingest_job": args.jobs.names["ingest"],
            "validate_job": args.jobs.names["validate"],
            "package_group": args.package_group,
            "training_image": _image(args, "training"),
            "serving_image": _image(args, "serving"),
            "train_role_arn": args.roles.train.arn,
            "evaluate_role_arn": args.roles.evaluate.arn,
            "subnet_ids": platform.network.subnet_ids,
            "security_group_ids": [platform.network.job_security_group_id],
            "data_key_arn": platform.keys.data_arn,
            "signing_key_alias": platform.names.signing_key_alias,
        }
    )
    return known.apply(lambda values: json.dumps(definition(spec, _targets(args, values)), separators=(",", ":")))


def _targets(args: StateMachineArgs, values: dict[str, Any]) -> PipelineTargets:
    names, release = args.platform.names, args.release
    known: dict[str, Any] = {
        **values,
        "training_image": ImageTarget(**values["training_image"]),
        "serving_image": ImageTarget(**values["serving_image"]),
        "subnet_ids": tuple(values["subnet_ids"]),
        "security_group_ids": tuple(values["security_group_ids"]),
    }
    return PipelineTargets(
        **known,
        job_prefix=job_prefix(names.job_prefix(args.spec.name)),
        event_source=names.event_source,
        released=Released(artefact=release.artefact, snapshot=release.snapshot) if release else None,
        # SageMaker jobs are made by the pipeline, out of reach of the provider's default tags.
        tags=args.platform.settings.default_tags,
    )


def _image(args: StateMachineArgs, image: Image) -> dict[str, pulumi.Input[str]]:
    repository = args.platform.repositories[image]
    tag = content_tag(args.platform.project_dir, image, args.spec.table)
    return {"repository": repository.name, "url": repository.url, "tag": tag}
