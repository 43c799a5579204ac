"""Who the four jobs of a pipeline are: ingest and validate on Glue, train and evaluate on SageMaker.

Each reads what the step before it left and writes what it itself makes, of its own model and nothing else: IAM names
the model's folders and table entries. Lake Formation's own grants cannot be as narrow, see `lake_formation.LakeGrants`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi

from infra.components.model_role import (
    ModelRole,
    ModelRoleArgs,
    data_key,
    job_logs,
    job_metrics,
    listing,
    network_interfaces,
    objects,
    pull_image,
    volume_key,
)
from infra.iam import Statement, statement
from infra.names import Layer
from infra.platform_outputs import PlatformOutputs
from models.spec import ModelSpec
from pipelines.log_groups import glue_log_prefix

_READ = ("s3:GetObject",)
_WRITE = ("s3:PutObject",)
_ALL = ("s3:DeleteObject", "s3:GetObject", "s3:PutObject")


@dataclass(frozen=True, kw_only=True)
class JobRolesArgs:
    """The model and the platform it runs on."""

    spec: ModelSpec
    platform: PlatformOutputs


class JobRoles(pulumi.ComponentResource):
    """One role per job."""

    ingest: ModelRole
    validate: ModelRole
    train: ModelRole
    evaluate: ModelRole

    def __init__(self, name: str, args: JobRolesArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("drivetrain:model:JobRoles", name, None, opts)
        self._args = args
        spec, platform = args.spec, args.platform
        self.ingest = self._role("ingest", "glue.amazonaws.com", ingest_statements(spec, platform))
        self.validate = self._role("validate", "glue.amazonaws.com", validate_statements(spec, platform))
        self.train = self._role("train", "sagemaker.amazonaws.com", train_statements(spec, platform))
        self.evaluate = self._role("evaluate", "sagemaker.amazonaws.com", evaluate_statements(spec, platform))
        self.register_outputs({})

    def _role(self, step: str, service: str, statements: Sequence[Statement]) -> ModelRole:
        job = f"{self._args.spec.name}-{step}"
        args = ModelRoleArgs(
            platform=self._args.platform,
            job=job,
            service=service,
            description=f"The {step} job of the model {self._args.spec.name}",
            statements=statements,
        )
        return ModelRole(job, args, pulumi.ResourceOptions(parent=self))


def ingest_statements(spec: ModelSpec, platform: PlatformOutputs) -> list[Statement]:
    """Read what landed, write the model's tables."""
    buckets = platform.buckets
    return [
        objects("Landed", buckets["landing"], f"{spec.name}/", _READ),
        listing("ListLanded", buckets["landing"], [f"{spec.name}/"]),
        *_tables(spec, platform, ("curated", "quarantine"), writes=True),
        objects("Result", buckets["artifacts"], f"runs/{spec.name}/", _WRITE),
        *_glue_job(spec, platform, "ingest"),
    ]


def validate_statements(spec: ModelSpec, platform: PlatformOutputs) -> list[Statement]:
    """Read the model's table, write an export of it."""
    buckets = platform.buckets
    return [
        *_tables(spec, platform, ("curated",), writes=False),
        objects("Export", buckets["lake"], f"exports/{spec.name}/", _ALL),
        objects("Result", buckets["artifacts"], f"runs/{spec.name}/", _WRITE),
        *_glue_job(spec, platform, "validate"),
    ]


def train_statements(spec: ModelSpec, platform: PlatformOutputs) -> list[Statement]:
    """Read the export, write checkpoints and the artefact."""
    lake, artifacts = platform.buckets["lake"], platform.buckets["artifacts"]
    return [
        objects("Dataset", lake, f"exports/{spec.name}/", _READ),
        listing("ListDataset", lake, [f"exports/{spec.name}/"]),
        objects("Artefacts", artifacts, f"models/{spec.name}/", _WRITE),
        objects("Checkpoints", artifacts, f"checkpoints/{spec.name}/", _ALL),
        listing("ListArtefacts", artifacts, [f"models/{spec.name}/", f"checkpoints/{spec.name}/"]),
        *_sagemaker_job(platform, "/aws/sagemaker/TrainingJobs"),
    ]


def evaluate_statements(spec: ModelSpec, platform: PlatformOutputs) -> list[Statement]:
    """Read the export and artefacts, write the evaluation."""
    lake, artifacts = platform.buckets["lake"], platform.buckets["artifacts"]
    return [
        objects("Dataset", lake, f"exports/{spec.name}/", _READ),
        listing("ListDataset", lake, [f"exports/{spec.name}/"]),
        objects("Artefacts", artifacts, f"models/{spec.name}/", _READ),
        objects("Evaluation", artifacts, f"runs/{spec.name}/", _WRITE),
        listing("ListArtefacts", artifacts, [f"models/{spec.name}/", f"runs/{spec.name}/"]),
        *_sagemaker_job(platform, "/aws/sagemaker/ProcessingJobs"),
    ]


def _tables(spec: ModelSpec, platform: PlatformOutputs, layers: Sequence[Layer], *, writes: bool) -> list[Statement]:
    """The model's Iceberg tables: their files, and their entries in the Glue catalog."""
    lake = platform.buckets["lake"]
    folders = [f"warehouse/{platform.names.database(layer)}/{spec.table}/" for layer in layers]
    catalog = f"arn:aws:glue:{platform.region}:{platform.account_id}"
    databases = [platform.names.database(layer) for layer in layers]
    entries = [
        f"{catalog}:catalog",
        *(f"{catalog}:database/{database}" for database in databases),
        *(f"{catalog}:table/{database}/{spec.table}" for database in databases),
    ]
    changes = ["glue:CreateTable", "glue:UpdateTable"] if writes else []
    files = [pulumi.Output.concat(lake.arn, "/", folder, "*") for folder in folders]
    return [
        statement("TableFiles", _ALL if writes else _READ, files),
        listing("ListTables", lake, folders),
        statement("TableEntries", ["glue:GetDatabase", "glue:GetTable", *changes], entries),
        statement(
            "LakeFormation",
            ["lakeformation:GetDataAccess"],
            ["*"],
            any_resource_because="the action knows no resource; Lake Formation's own grants name the tables",
        ),
    ]


def _glue_job(spec: ModelSpec, platform: PlatformOutputs, step: Literal["ingest", "validate"]) -> list[Statement]:
    """What Glue itself needs on behalf of a job: its code, its place in the VPC, its encrypted log."""
    catalog = f"arn:aws:glue:{platform.region}:{platform.account_id}"
    groups = glue_log_prefix(platform.names.glue_job(spec.name, step)) + "/*"
    group_arns = f"arn:aws:logs:{platform.region}:{platform.account_id}:log-group:{groups}"
    ec2 = f"arn:aws:ec2:{platform.region}:{platform.account_id}"
    return [
        objects("Code", platform.buckets["artifacts"], f"glue/{spec.name}/", _READ),
        objects("Wheels", platform.buckets["artifacts"], "glue/wheels/", _READ),
        data_key(platform, ("s3", "glue")),
        statement("Connections", ["glue:GetConnection"], [f"{catalog}:catalog", f"{catalog}:connection/*"]),
        statement(
            "SecurityConfiguration",
            ["glue:GetSecurityConfiguration"],
            ["*"],
            any_resource_because="Glue knows no ARN for a security configuration",
        ),
        *_glue_network(ec2),
        job_logs(platform, groups),
        statement("EncryptLogs", ["logs:AssociateKmsKey"], [group_arns]),
        job_metrics("Glue"),
    ]


def _glue_network(ec2: str) -> list[Statement]:
    """Glue makes the network interfaces of a job with the job's own role, and tags them as its own."""
    interfaces = [f"{ec2}:network-interface/*", f"{ec2}:security-group/*", f"{ec2}:subnet/*"]
    return [
        statement(
            "FindNetwork",
            [
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeRouteTables",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcEndpoints",
            ],
            ["*"],
            any_resource_because="EC2's Describe actions know no resources",
        ),
        statement("FindVpc", ["ec2:DescribeVpcAttribute"], [f"{ec2}:vpc/*"]),
        statement("NetworkInterfaces", ["ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface"], interfaces),
        statement(
            "TagNetworkInterfaces",
            ["ec2:CreateTags", "ec2:DeleteTags"],
            [f"{ec2}:network-interface/*"],
            {"ForAllValues:StringEquals": {"aws:TagKeys": ["aws-glue-service-resource"]}},
        ),
    ]


def _sagemaker_job(platform: PlatformOutputs, log_group: str) -> list[Statement]:
    return [
        *pull_image(platform, "training"),
        *network_interfaces(platform),
        data_key(platform),
        volume_key(platform),
        job_logs(platform, log_group),
        job_metrics(log_group),
    ]
