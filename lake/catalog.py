"""The Iceberg tables on the Glue catalog: opened as the process's AWS session says, made on first use.

Snapshot conflicts are left to `lake.append`, which looks at what the other writer added: pyiceberg's own retry (four
times unless a table property says otherwise) would append the same rows again.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import boto3
from botocore.credentials import RefreshableCredentials
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.exceptions import (
    CommitFailedException,
    NoSuchIcebergTableError,
    NoSuchNamespaceError,
    NoSuchPropertyException,
    NoSuchTableError,
    TableAlreadyExistsError,
)
from pyiceberg.io import FileIO
from pyiceberg.schema import Schema
from pyiceberg.serializers import ToOutputFile
from pyiceberg.table import CommitTableResponse, Table
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.update import AddSnapshotUpdate, TableRequirement, TableUpdate

from lake.errors import LakeError
from lake.schemas import curated_schema, predictions_schema, quarantine_schema
from models.spec import ModelSpec

if TYPE_CHECKING:
    from types_boto3_glue import GlueClient
    from types_boto3_s3 import S3Client

TABLE_PROPERTIES = {
    "format-version": "2",
    "commit.retry.num-retries": "0",
    "write.parquet.compression-codec": "zstd",
}
_AWS_HOSTS = (".amazonaws.com", ".amazonaws.com.cn")


class LakeCatalog(GlueCatalog):
    """The Glue catalog, where a commit whose answer was lost on the way is not taken for one that failed.

    The AWS SDK sends UpdateTable again when the first answer is lost; Glue then reports a conflict with our own commit,
    on which pyiceberg would delete the manifests of the snapshot that is now live.
    """

    def commit_table(
        self, table: Table, requirements: tuple[TableRequirement, ...], updates: tuple[TableUpdate, ...]
    ) -> CommitTableResponse:
        """Commit as `GlueCatalog` does; CommitFailedException only when the table has none of the new snapshots."""
        try:
            return super().commit_table(table, requirements, updates)
        except CommitFailedException:
            added = [update.snapshot.snapshot_id for update in updates if isinstance(update, AddSnapshotUpdate)]
            current = self.load_table(table.name())
            if not added or any(current.metadata.snapshot_by_id(snapshot_id) is None for snapshot_id in added):
                raise
            found = {"metadata": current.metadata, "metadata-location": current.metadata_location}
            return CommitTableResponse.model_validate(found)

    @staticmethod
    def _write_metadata(metadata: TableMetadata, io: FileIO, metadata_path: str) -> None:
        """Write without asking first whether the file is there: its name holds a new UUID.

        For a missing key S3 answers 403, not 404, to a role that may list only some prefixes, and pyarrow gives up.
        """
        ToOutputFile.table_metadata(metadata, io.new_output(metadata_path), overwrite=True)


def file_properties(session: boto3.Session) -> dict[str, str]:
    """How pyarrow reaches S3, as `session` does: its region, its endpoint when it is not AWS's own, its credentials.

    Credentials of a role that the machine renews (Glue, ECS, EC2) are left to the SDK inside pyarrow, which finds and
    renews the same ones; a copy would expire in the middle of a long job.
    """
    s3: S3Client = session.client("s3")  # pyright: ignore[reportUnknownMemberType] overloads for every service
    properties = {"s3.region": s3.meta.region_name}
    host = urlsplit(s3.meta.endpoint_url).hostname or ""
    if not (host.startswith("s3.") and host.endswith(_AWS_HOSTS)):
        properties["s3.endpoint"] = s3.meta.endpoint_url
    credentials = session.get_credentials()
    if credentials is not None and not (
        isinstance(credentials, RefreshableCredentials) and credentials.method in {"iam-role", "container-role"}
    ):
        frozen = credentials.get_frozen_credentials()
        names = ("s3.access-key-id", "s3.secret-access-key", "s3.session-token")
        values = (frozen.access_key, frozen.secret_key, frozen.token)
        properties |= {name: value for name, value in zip(names, values, strict=True) if value}
    return properties


@dataclass(frozen=True, kw_only=True)
class LakeLocation:
    """Where the tables are: `warehouse` is `s3://bucket/prefix/`, the databases are Glue's."""

    warehouse: str
    curated_database: str
    quarantine_database: str
    predictions_database: str = ""
    """Only what writes predictions knows it."""


class Lake:
    """The tables of the lake at `location`, by model."""

    def __init__(self, session: boto3.Session, location: LakeLocation) -> None:
        self.location = location
        glue: GlueClient = session.client("glue")  # pyright: ignore[reportUnknownMemberType] overloads for every service
        self._catalog = LakeCatalog("lake", client=glue, **file_properties(session))

    def curated(self, spec: ModelSpec) -> Table:
        """The table of good rows, made when there is none and widened when `spec` has new columns."""
        wanted = curated_schema(spec)
        table = self._open(self.location.curated_database, spec.table, wanted)
        return _widened(table, wanted, "ingest again")

    def quarantine(self, spec: ModelSpec) -> Table:
        """The table of refused rows, made when there is none."""
        return self._open(self.location.quarantine_database, spec.table, quarantine_schema())

    def predictions(self, spec: ModelSpec) -> Table:
        """The table of predictions, made when there is none and widened when the key of `spec` has new columns."""
        wanted = predictions_schema(spec)
        table = self._open(self.location.predictions_database, spec.table, wanted)
        return _widened(table, wanted, "predict again")

    def find(self, name: str) -> Table | None:
        """The table `database.table`; None when there is none of that name. LakeError for one that is not Iceberg."""
        database, _, table = name.partition(".")
        return self._find(database, table) if table else None

    def find_curated(self, spec: ModelSpec) -> Table | None:
        """The table of good rows, None when nothing was ingested yet."""
        return self._find(self.location.curated_database, spec.table)

    def find_quarantine(self, spec: ModelSpec) -> Table | None:
        """The table of refused rows, None when nothing was ingested yet."""
        return self._find(self.location.quarantine_database, spec.table)

    def _find(self, database: str, name: str) -> Table | None:
        try:
            return self._catalog.load_table((database, name))
        except (NoSuchIcebergTableError, NoSuchPropertyException, ValueError) as error:
            # pyiceberg says ValueError of a table of Glue without any parameters, and of metadata it cannot read.
            raise LakeError(
                f"the table {database}.{name} cannot be read as an Iceberg table ({error}); expected one that Glue "
                "lists with the parameters table_type ICEBERG and metadata_location"
            ) from error
        except NoSuchTableError:
            return None

    def _open(self, database: str, name: str, schema: Schema) -> Table:
        found = self._find(database, name)
        if found is not None:
            return found
        location = f"{self.location.warehouse.rstrip('/')}/{database}/{name}"
        try:
            return self._catalog.create_table(
                (database, name), schema=schema, location=location, properties=TABLE_PROPERTIES
            )
        except TableAlreadyExistsError:
            return self._catalog.load_table((database, name))
        except NoSuchNamespaceError as error:
            raise LakeError(
                f"there is no Glue database {database!r} for the table {name!r}; apply the program of this stack first"
            ) from error


def _widened(table: Table, wanted: Schema, then: str) -> Table:
    """`table` with the columns of `wanted` it lacks; LakeError when a column would have to change its type.

    `then` is what fills a table that was dropped.
    """
    current = {field.name: field.field_type for field in table.schema().fields}
    for field in wanted.fields:
        if field.name in current and current[field.name] != field.field_type:
            found = current[field.name]
            raise LakeError(
                f"column {field.name!r} is {field.field_type} in model.toml but {found} in the table "
                f"{'.'.join(table.name())}; give the column another name, or drop the table and {then}"
            )
    missing = [field for field in wanted.fields if field.name not in current]
    if missing:
        with table.update_schema() as update:
            for field in missing:
                update.add_column(field.name, field.field_type, doc=field.doc)
    return table
