"""Lake Formation: who may see which table, besides what IAM allows.

Its settings belong to the account, and every stack has one of its own, but for those of pull requests, which live
beside dev: they take what dev declares, where the role that deploys them is an administrator too. Databases made after
them grant nothing by default (`IAMAllowedPrincipals` is the old way), so each job is granted what it needs and nothing
is open by accident.

The one administrator is the stack's deploy role, which the bootstrap makes: Lake Formation refuses settings that name a
principal which is not there, and grants by anyone who is no administrator.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pulumi
import pulumi_aws as aws

from infra.iam import job_role, statement
from infra.names import PULL_REQUESTS, Layer, Names
from infra.platform_outputs import Bucket, KeyOutputs
from infra.settings import Settings


@dataclass(frozen=True, kw_only=True)
class LakeFormationArgs:
    """The stack, the bucket that holds the tables, and its key."""

    settings: Settings
    keys: KeyOutputs
    lake: Bucket


class LakeFormation(pulumi.ComponentResource):
    """The lake's administrator, its defaults, and the registration of where the tables lie."""

    def __init__(self, name: str, args: LakeFormationArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("drivetrain:platform:LakeFormation", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        if not args.settings.ephemeral:
            aws.lakeformation.DataLakeSettings("settings", admins=administrators(args.settings), opts=child)
        location = pulumi.Output.concat(args.lake.arn, "/warehouse")
        role = self._location_role(args, location)
        aws.lakeformation.Resource("warehouse", arn=location, role_arn=role.arn, opts=child)
        self.register_outputs({})

    def _location_role(self, args: LakeFormationArgs, location: pulumi.Output[str]) -> aws.iam.Role:
        """The role whose credentials Lake Formation hands, narrowed down, to engines that read for a principal."""
        settings = args.settings
        s3 = f"s3.{settings.region}.amazonaws.com"
        return job_role(
            "lake-location",
            names=settings.names,
            service="lakeformation.amazonaws.com",
            description="Reads and writes the tables for Lake Formation",
            source_arns=[f"arn:aws:lakeformation:{settings.region}:{settings.account_id}:*"],
            statements=[
                statement(
                    "Objects",
                    ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
                    [pulumi.Output.concat(location, "/*")],
                ),
                statement("Bucket", ["s3:ListBucket"], [args.lake.arn]),
                statement(
                    "Key",
                    ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"],
                    [args.keys.data_arn],
                    {"StringEquals": {"kms:ViaService": s3}},
                ),
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )


def administrators(settings: Settings) -> list[str]:
    """Who may grant: the stack's deploy role, and that of pull-request stacks where the account takes them."""
    roles = [settings.names.deploy_role_arn]
    if settings.github is not None and settings.github.pull_request_stacks:
        roles.append(replace(settings.names, stack=f"{PULL_REQUESTS}-0").deploy_role_arn)
    return roles


@dataclass(frozen=True, kw_only=True)
class LakeGrantsArgs:
    """The model whose jobs are granted, and the databases of its tables."""

    names: Names
    model: str
    databases: Mapping[Layer, pulumi.Output[str]]


class LakeGrants(pulumi.ComponentResource):
    """What a model's jobs may do in the lake; its roles must exist.

    The ingest job makes the tables, and whoever makes a table may do everything with it. It is granted no location, as
    nobody is: tables inside that of their database need none. Validate looks up curated tables, of any model: Lake
    Formation grants on a table that exists or on all of a database, and a model's table does not exist before its first
    ingest. Its IAM role (`job_roles.py`) names the one entry and the one folder it may read, and it reads the files
    with that role: so `DESCRIBE` is enough, and no table is opened by `SELECT`.
    """

    def __init__(self, name: str, args: LakeGrantsArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("drivetrain:platform:LakeGrants", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._name = name
        ingest = args.names.role_arn(f"{args.model}-ingest")
        validate = args.names.role_arn(f"{args.model}-validate")
        written: tuple[Layer, ...] = ("curated", "quarantine")
        for layer in written:
            self._on_database(f"ingest-{layer}", ingest, args.databases[layer], ["CREATE_TABLE", "DESCRIBE"])
        self._on_database("validate-curated", validate, args.databases["curated"], ["DESCRIBE"])
        aws.lakeformation.Permissions(
            f"{name}-validate-tables",
            principal=validate,
            permissions=["DESCRIBE"],
            table=aws.lakeformation.PermissionsTableArgs(database_name=args.databases["curated"], wildcard=True),
            opts=self._child,
        )
        self.register_outputs({})

    def _on_database(
        self, suffix: str, principal: str, database: pulumi.Input[str], permissions: Sequence[str]
    ) -> None:
        aws.lakeformation.Permissions(
            f"{self._name}-{suffix}",
            principal=principal,
            permissions=permissions,
            database=aws.lakeformation.PermissionsDatabaseArgs(name=database),
            opts=self._child,
        )
