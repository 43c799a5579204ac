"""From landed objects to the tables: read, validate, and add what is new in one commit per table.

Quarantine is committed before the good rows. So an object that has rows in the table is done with, and is passed over
the next time; a run that dies between the two commits is put right by running it again.
"""

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyiceberg.table import Table

from lake.append import append_missing
from lake.catalog import Lake
from lake.filters import in_values
from lake.merge import Candidate, Merge, Refusal, known_rows, merge
from lake.objects import LandedObject, list_objects, read_object
from lake.schemas import arrow_schema
from lake.sources import parse
from lake.validation import validate
from models.spec import ModelSpec

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_TOLD_OBJECTS = 50
_TOLD_ROWS = 3
_TOLD_CHARACTERS = 300


@dataclass(frozen=True, kw_only=True)
class ObjectResult:
    """What became of one object: rows_read = rows_added + rows_unchanged + rows_quarantined.

    `refused` is the reason why the object as a whole was not taken, else empty; `examples` are the first of its rows
    that went to quarantine in this run, each with its line and reason.
    """

    object: str
    etag: str
    rows_read: int
    rows_added: int
    rows_unchanged: int
    rows_quarantined: int
    refused: str = ""
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class IngestResult:
    """What a run did; `snapshot_id` is the table's version after it, empty while the table never had a row."""

    model: str
    table: str
    snapshot_id: str
    rows_read: int
    rows_added: int
    rows_unchanged: int
    rows_quarantined: int
    objects_refused: int
    objects: tuple[ObjectResult, ...]

    def to_dict(self) -> dict[str, Any]:
        """As the job's result file holds it: of many objects, those with something to tell, the newest first.

        The state machine reads the file into its state, which holds 256 KiB.
        """
        newest_first = self.objects[::-1]
        telling = sorted(newest_first, key=lambda item: not (item.refused or item.rows_quarantined))
        return asdict(self) | {
            "objects": [asdict(item) for item in telling[:_TOLD_OBJECTS]],
            "objects_read": len(self.objects),
        }


@dataclass(frozen=True, kw_only=True)
class _Batch:
    candidates: list[Candidate]
    refusals: list[Refusal]


def ingest(*, s3: "S3Client", lake: Lake, spec: ModelSpec, bucket: str, prefix: str, now: datetime) -> IngestResult:
    """Ingest the object `prefix` of the bucket, or all below it when it ends in `/`; `now` is stamped on the rows.

    Running it again adds nothing. LakeError when there is nothing to read, LakeBusyError when others kept the table
    busy throughout.
    """
    objects = list_objects(s3, bucket=bucket, prefix=prefix)
    curated = lake.curated(spec)
    done = _rows_by_object(curated, objects)
    batch = _read(s3, spec, [item for item in objects if (item.uri, item.etag) not in done])
    merged = Merge()

    def choose(table: Table) -> pa.Table:
        nonlocal merged
        merged = merge(spec, batch.candidates, known_rows(spec, table, batch.candidates))
        refusals = batch.refusals + merged.conflicts
        if refusals:
            append_missing(lake.quarantine(spec), lambda quarantine: _new_refusals(quarantine, refusals, now))
        return _curated_rows(spec, table, merged.added, now)

    curated = append_missing(curated, choose)
    results = _results(objects, done, merged, batch.refusals)
    snapshot = curated.current_snapshot()
    return IngestResult(
        model=spec.name,
        table=".".join(curated.name()),
        snapshot_id=str(snapshot.snapshot_id) if snapshot else "",
        rows_read=sum(result.rows_read for result in results),
        rows_added=sum(result.rows_added for result in results),
        rows_unchanged=sum(result.rows_unchanged for result in results),
        rows_quarantined=sum(result.rows_quarantined for result in results),
        objects_refused=sum(bool(result.refused) for result in results),
        objects=results,
    )


def _read(s3: "S3Client", spec: ModelSpec, objects: list[LandedObject]) -> _Batch:
    batch = _Batch(candidates=[], refusals=[])
    for item in objects:
        validated = validate(spec, parse(spec, item.key, read_object(s3, item)))
        batch.candidates.extend(Candidate(origin=item, row=row) for row in validated.rows)
        batch.refusals.extend(Refusal(origin=item, rejection=rejection) for rejection in validated.rejections)
    return batch


def _rows_by_object(curated: Table, objects: tuple[LandedObject, ...]) -> dict[tuple[str, str], int]:
    """How many rows the table has of each of the objects, by URI and ETag; only those it has rows of."""
    if curated.current_snapshot() is None:
        return {}
    uris = [item.uri for item in objects]
    found = curated.scan(row_filter=in_values("_object", uris), selected_fields=("_object", "_etag")).to_arrow()
    counted = found.group_by(["_object", "_etag"]).aggregate([([], "count_all")]).to_pylist()
    return {(row["_object"], row["_etag"]): row["count_all"] for row in counted}


def _curated_rows(spec: ModelSpec, table: Table, added: list[Candidate], now: datetime) -> pa.Table:
    schema = arrow_schema(table.schema())
    names = [column.name for column in spec.columns]
    rows = [
        {
            **dict(zip(names, candidate.row.values, strict=True)),
            "_object": candidate.origin.uri,
            "_etag": candidate.origin.etag,
            "_line": candidate.row.line,
            "_ingested_at": now,
        }
        for candidate in added
    ]
    return pa.Table.from_pylist(rows, schema=schema)


def _new_refusals(quarantine: Table, refusals: list[Refusal], now: datetime) -> pa.Table:
    """The refusals that the quarantine does not hold yet: an object's line is refused once."""
    held: set[tuple[str, str, int]] = set()
    if quarantine.current_snapshot() is not None:
        uris = sorted({refusal.origin.uri for refusal in refusals})
        rows = quarantine.scan(
            row_filter=in_values("object", uris), selected_fields=("object", "etag", "line")
        ).to_arrow()
        held = {(row["object"], row["etag"], row["line"]) for row in rows.to_pylist()}
    new = [
        {
            "object": refusal.origin.uri,
            "etag": refusal.origin.etag,
            "line": refusal.rejection.line,
            "reason": refusal.rejection.reason,
            "fields": ",".join(refusal.rejection.fields),
            "raw": refusal.rejection.raw,
            "ingested_at": now,
        }
        for refusal in refusals
        if (refusal.origin.uri, refusal.origin.etag, refusal.rejection.line) not in held
    ]
    return pa.Table.from_pylist(new, schema=arrow_schema(quarantine.schema()))


def _results(
    objects: tuple[LandedObject, ...], done: dict[tuple[str, str], int], merged: Merge, refusals: list[Refusal]
) -> tuple[ObjectResult, ...]:
    added = Counter(candidate.origin for candidate in merged.added)
    unchanged = Counter(candidate.origin for candidate in merged.unchanged)
    quarantined: Counter[LandedObject] = Counter()
    refused: dict[LandedObject, str] = {}
    examples: dict[LandedObject, list[str]] = {}
    for refusal in refusals + merged.conflicts:
        if refusal.rejection.line:
            quarantined[refusal.origin] += 1
            told = examples.setdefault(refusal.origin, [])
            if len(told) < _TOLD_ROWS:
                told.append(f"line {refusal.rejection.line}: {refusal.rejection.reason}"[:_TOLD_CHARACTERS])
        else:
            refused[refusal.origin] = refusal.rejection.reason[:_TOLD_CHARACTERS]
    results: list[ObjectResult] = []
    for item in objects:
        kept = unchanged[item] + done.get((item.uri, item.etag), 0)
        results.append(
            ObjectResult(
                object=item.uri,
                etag=item.etag,
                rows_read=added[item] + kept + quarantined[item],
                rows_added=added[item],
                rows_unchanged=kept,
                rows_quarantined=quarantined[item],
                refused=refused.get(item, ""),
                examples=tuple(examples.get(item, ())),
            )
        )
    return tuple(results)
