"""The Glue catalog and Athena: databases, encryption, and the workgroup through which people query.

The Iceberg tables in the databases belong to the lake code, which makes them from a model's specification.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.queries import declare_queries
from infra.names import LAYERS, Layer
from infra.platform_outputs import Bucket, KeyOutputs
from infra.settings import Settings

_PURPOSE: dict[Layer, str] = {
    "raw": "What producers landed, as it is",
    "curated": "Validated rows, one Iceberg table per model",
    "quarantine": "Rows that were refused, with object, line and reason",
    "predictions": "What a release predicted for rows of a table or of files",
}


@dataclass(frozen=True, kw_only=True)
class CatalogArgs:
    """The stack, where its tables and query results lie, and the tables whose queries belong to this stack."""

    settings: Settings
    keys: KeyOutputs
    lake: Bucket
    query_results: Bucket
    tables: Sequence[str]


class Catalog(pulumi.ComponentResource):
    """A database per layer, the security configuration of Glue jobs, and the Athena workgroup."""

    databases: Mapping[Layer, pulumi.Output[str]]
    security_configuration: pulumi.Output[str]
    workgroup: pulumi.Output[str]

    def __init__(self, name: str, args: CatalogArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("drivetrain:platform:Catalog", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._args = args
        # An account has one catalog: a pull request's stack takes it as dev encrypts it.
        encryption = [] if args.settings.ephemeral else [self._encrypt_catalog()]
        self.databases = {layer: self._database(layer, encryption) for layer in LAYERS}
        self.security_configuration = self._security_configuration()
        self.workgroup = self._workgroup()
        for table in args.tables:
            declare_queries(table, args.settings.names, self.databases, self.workgroup, self._child)
        self.register_outputs(
            {
                "databases": self.databases,
                "security_configuration": self.security_configuration,
                "workgroup": self.workgroup,
            }
        )

    def _encrypt_catalog(self) -> aws.glue.DataCatalogEncryptionSettings:
        key = self._args.keys.data_arn
        at_rest = aws.glue.DataCatalogEncryptionSettingsDataCatalogEncryptionSettingsEncryptionAtRestArgs(
            catalog_encryption_mode="SSE-KMS", sse_aws_kms_key_id=key
        )
        passwords = aws.glue.DataCatalogEncryptionSettingsDataCatalogEncryptionSettingsConnectionPasswordEncryptionArgs(
            return_connection_password_encrypted=True, aws_kms_key_id=key
        )
        return aws.glue.DataCatalogEncryptionSettings(
            "catalog",
            data_catalog_encryption_settings=aws.glue.DataCatalogEncryptionSettingsDataCatalogEncryptionSettingsArgs(
                encryption_at_rest=at_rest, connection_password_encryption=passwords
            ),
            opts=self._child,
        )

    def _database(self, layer: Layer, encryption: Sequence[pulumi.Resource]) -> pulumi.Output[str]:
        database = self._args.settings.names.database(layer)
        return aws.glue.CatalogDatabase(
            layer,
            name=database,
            description=_PURPOSE[layer],
            # Where the lake's code puts the tables (lake/catalog.py): with Lake Formation, who may make tables in a
            # database may make them inside its location, and nowhere else without a grant on the place.
            location_uri=pulumi.Output.concat("s3://", self._args.lake.name, f"/warehouse/{database}"),
            # Encrypted from the first table on, not from whenever the settings come.
            opts=pulumi.ResourceOptions(parent=self, depends_on=encryption, protect=self._args.settings.protect),
        ).name

    def _security_configuration(self) -> pulumi.Output[str]:
        """What a Glue job writes, logs and remembers is encrypted."""
        keys = self._args.keys
        return aws.glue.SecurityConfiguration(
            "jobs",
            name=f"{self._args.settings.names.prefix}-jobs",
            encryption_configuration=aws.glue.SecurityConfigurationEncryptionConfigurationArgs(
                s3_encryption=aws.glue.SecurityConfigurationEncryptionConfigurationS3EncryptionArgs(
                    s3_encryption_mode="SSE-KMS", kms_key_arn=keys.data_arn
                ),
                cloudwatch_encryption=aws.glue.SecurityConfigurationEncryptionConfigurationCloudwatchEncryptionArgs(
                    cloudwatch_encryption_mode="SSE-KMS", kms_key_arn=keys.logs_arn
                ),
                job_bookmarks_encryption=aws.glue.SecurityConfigurationEncryptionConfigurationJobBookmarksEncryptionArgs(
                    job_bookmarks_encryption_mode="CSE-KMS", kms_key_arn=keys.data_arn
                ),
            ),
            # Glue changes none in place, and logs under this name, so that the old one has to go first.
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        ).name

    def _workgroup(self) -> pulumi.Output[str]:
        settings = self._args.settings
        result = aws.athena.WorkgroupConfigurationResultConfigurationArgs(
            output_location=pulumi.Output.concat("s3://", self._args.query_results.name, "/athena/"),
            expected_bucket_owner=settings.account_id,
            encryption_configuration=aws.athena.WorkgroupConfigurationResultConfigurationEncryptionConfigurationArgs(
                encryption_option="SSE_KMS", kms_key_arn=self._args.keys.data_arn
            ),
        )
        return aws.athena.Workgroup(
            "queries",
            name=settings.names.workgroup,
            description="Queries of the lake: results encrypted, scans cut off",
            configuration=aws.athena.WorkgroupConfigurationArgs(
                # The clients' own settings do not count: every result lands encrypted where it expires.
                enforce_workgroup_configuration=True,
                publish_cloudwatch_metrics_enabled=True,
                bytes_scanned_cutoff_per_query=settings.lake.query_scan_limit_gb * 10**9,
                engine_version=aws.athena.WorkgroupConfigurationEngineVersionArgs(
                    selected_engine_version="Athena engine version 3"
                ),
                result_configuration=result,
            ),
            force_destroy=not settings.protect,
            opts=self._child,
        ).name
