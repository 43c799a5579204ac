"""`drivetrain predict --batch` from start to end: read, check, transform, append; nothing is half done.

What the model's endpoint serves predicts, through the same container and `/invocations`. The parts lie below
`batch-input/<model>/<job>/` and `batch-output/<model>/<job>/` of the artifacts bucket. The input goes however the run
ends, the output once the predictions are in the table; refused rows stay listed in
`batch-output/<model>/<job>/rejects.jsonl`. What is left there, by a run that was killed too, the bucket's lifecycle
expires (infra/components/lake.py).
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from pyiceberg.table import Table

from delivery.batch.rows import Input, InputRow, Reject, rows_of_objects, rows_of_table
from delivery.batch.transform import (
    BatchError,
    Say,
    Served,
    TransformArgs,
    parts,
    predictions,
    served_model,
    start,
    wait,
)
from infra.names import Names
from lake.catalog import Lake
from lake.errors import LakeError
from lake.locations import put
from lake.predictions import Predicted, append_predictions, known_places
from models.spec import ModelSpec
from pipelines.jobs import has_local_storage

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

CURATED = "curated"
_NO_ENCRYPTION = "ServerSideEncryptionConfigurationNotFoundError"


@dataclass(frozen=True, kw_only=True)
class BatchArgs:
    """The model, and what is predicted for: `curated`, `database.table` or `s3://…`; `snapshot` of a table."""

    spec: ModelSpec
    names: Names
    source: str
    snapshot: str | None


@dataclass(frozen=True, kw_only=True)
class BatchResult:
    """What was done, in rows."""

    model: str
    release: str
    source: str
    versions: tuple[str, ...]
    table: str
    rows_read: int
    rows_predicted: int
    rows_known: int
    """Predicted by this release before: nothing was added for them."""
    rows_rejected: int
    rejects: str
    """Where the refused rows are listed with their reasons; empty when there are none."""
    job: str
    """Of SageMaker; empty when there was nothing to predict."""
    seconds: float


class Batch:
    """One run."""

    def __init__(self, args: BatchArgs, session: boto3.Session, lake: Lake, say: Say) -> None:
        self._args, self._lake, self._say = args, lake, say
        self._s3: S3Client = session.client("s3")  # pyright: ignore[reportUnknownMemberType] overloads for every service
        self._sagemaker: Any = session.client("sagemaker")  # pyright: ignore[reportUnknownMemberType] as above
        self._bucket = args.names.bucket("artifacts")
        self._at = datetime.now(UTC)
        # Two runs of one second must not write into one folder; SageMaker takes names of 63 characters.
        moment = f"{self._at:%Y%m%d%H%M%S}-{uuid.uuid4().hex[:6]}"
        self._job = f"{args.names.job_prefix(args.spec.name)[:34]}-batch-{moment}"

    def run(self) -> BatchResult:
        """Predict and append. BatchError, LakeError and boto3's errors say why not; nothing is appended then."""
        spec = self._args.spec
        served = served_model(self._sagemaker, self._args.names.endpoint(spec.name))
        source = self._read()
        self._say(f"{len(source.rows)} rows fit the model, {len(source.rejects)} do not")
        # Before the job is paid for: whether the table takes what it will predict.
        table = self._lake.predictions(spec)
        rejects = self._list_rejects(source.rejects)
        known = known_places(table, served.release, sorted({row.source for row in source.rows}))
        wanted = [row for row in source.rows if (row.source, row.version, row.row) not in known]
        added = self._predicted(table, served, wanted) if wanted else 0
        return BatchResult(
            model=spec.name,
            release=served.release,
            source=self._args.source,
            versions=tuple(sorted({row.version for row in source.rows})),
            table=".".join(table.name()),
            rows_read=len(source.rows) + len(source.rejects),
            rows_predicted=added,
            rows_known=len(source.rows) - added,
            rows_rejected=len(source.rejects),
            rejects=rejects,
            job=self._job if wanted else "",
            seconds=(datetime.now(UTC) - self._at).total_seconds(),
        )

    def _read(self) -> Input:
        spec, source, snapshot = self._args.spec, self._args.source, self._args.snapshot
        if source.startswith("s3://"):
            if snapshot is not None:
                raise BatchError(f"a snapshot is a table's version; {source} has none")
            return rows_of_objects(spec, self._s3, source)
        table = self._lake.find_curated(spec) if source == CURATED else self._lake.find(source)
        if table is None:
            raise LakeError(f"there is no table {source!r}; expected {CURATED}, database.table or s3://bucket/key")
        return rows_of_table(spec, table, snapshot)

    def _predicted(self, table: Table, served: Served, rows: Sequence[InputRow]) -> int:
        spec = self._args.spec
        contents = list(
            parts(
                [row.features for row in rows],
                most_rows=spec.serving.max_rows,
                most_bytes=spec.serving.max_body_bytes,
            )
        )
        source, target = self._folder("input"), self._folder("output")
        try:
            outputs = self._transformed(served, contents, len(rows))
        finally:
            # Rows of a table do not stay where whoever reads artefacts finds them; a new run writes them anew.
            self._remove(source)
        found = predictions(outputs, len(rows), self._job)
        predicted = [
            Predicted(source=row.source, version=row.version, row=row.row, key=row.key, prediction=value)
            for row, value in zip(rows, found, strict=True)
        ]
        added = append_predictions(table, spec, predicted, release=served.release, job=self._job, at=self._at)
        self._remove(target)
        return added

    def _transformed(self, served: Served, contents: Sequence[bytes], rows: int) -> list[bytes]:
        """The answers of the job to the parts `contents`."""
        source, target = self._folder("input"), self._folder("output")
        for number, content in enumerate(contents):
            put(self._s3, f"{source}{number:06}.csv", content)
        self._say(f"{rows} rows in {len(contents)} parts to the transform job {self._job}")
        start(self._sagemaker, self._transform(served, source, target))
        wait(self._sagemaker, self._job, lambda: f"{len(self._keys(target))} of {len(contents)} parts", self._say)
        return [self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read() for key in self._keys(target)]

    def _transform(self, served: Served, source: str, target: str) -> TransformArgs:
        instance = self._args.spec.serving.instance_type
        return TransformArgs(
            name=self._job,
            model=served.model,
            input=source,
            output=target,
            instance_type=instance,
            key=self._key(),
            volume_key=not has_local_storage(instance),
            tags={"drivetrain:model": self._args.spec.name},
        )

    def _list_rejects(self, rejects: Sequence[Reject]) -> str:
        if not rejects:
            return ""
        uri = f"{self._folder('output')}rejects.jsonl"
        lines = (json.dumps(asdict(reject), ensure_ascii=False) for reject in rejects)
        put(self._s3, uri, ("\n".join(lines) + "\n").encode())
        return uri

    def _folder(self, side: str) -> str:
        return f"s3://{self._bucket}/batch-{side}/{self._args.spec.name}/{self._job}/"

    def _keys(self, folder: str) -> list[str]:
        """The parts in a folder, in their order; the list of refused rows is none of them."""
        prefix = folder.removeprefix(f"s3://{self._bucket}/")
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        keys = [str(entry.get("Key")) for page in pages for entry in page.get("Contents", [])]
        return [key for key in keys if not key.endswith("/rejects.jsonl")]

    def _remove(self, folder: str) -> None:
        """Remove the parts in a folder. That it failed is said, and hides neither the result nor an error before it."""
        try:
            for key in self._keys(folder):
                self._s3.delete_object(Bucket=self._bucket, Key=key)
        except (BotoCoreError, ClientError) as error:
            self._say(f"{folder} could not be emptied ({error}); the bucket's lifecycle expires what is there")

    def _key(self) -> str | None:
        """The key that the bucket encrypts with: a transform job would otherwise take the account's own for S3."""
        try:
            found: Any = self._s3.get_bucket_encryption(Bucket=self._bucket)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != _NO_ENCRYPTION:
                raise
            return None
        rule = found["ServerSideEncryptionConfiguration"]["Rules"][0]["ApplyServerSideEncryptionByDefault"]
        return rule.get("KMSMasterKeyID")
