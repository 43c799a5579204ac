"""What is predicted for: the rows of a table at a version, or of objects as `lake.sources` reads them, each checked.

Only the model's features and key are asked for; a table or a file may have more columns. A row that does not fit is
kept with its reason, never dropped.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import pyarrow as pa
from pyiceberg.table import Table

from lake.errors import LakeError
from lake.locations import split_uri
from lake.objects import LandedObject, list_objects, read_object
from lake.parsed import Parsed, Row
from lake.sources import parse
from lake.validation import validate
from models.schema import Column
from models.spec import ModelSpec

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

Value = float | int | str | None


@dataclass(frozen=True, kw_only=True)
class InputRow:
    """A row that the model takes: `source`, `version` and `row` say where it stood."""

    source: str
    version: str
    row: int
    features: tuple[Value, ...]
    key: tuple[Value, ...]


@dataclass(frozen=True, kw_only=True)
class Reject:
    """A row that is not predicted for (`row` 0: a whole object), and why."""

    source: str
    version: str
    row: int
    fields: tuple[str, ...]
    reason: str
    raw: str


@dataclass(frozen=True, kw_only=True)
class Input:
    """Every row that was read is on one of the two sides."""

    rows: tuple[InputRow, ...] = ()
    rejects: tuple[Reject, ...] = ()

    def __add__(self, other: "Input") -> "Input":
        return Input(rows=self.rows + other.rows, rejects=self.rejects + other.rejects)


def needed_columns(spec: ModelSpec) -> tuple[Column, ...]:
    """The features and what else the key needs."""
    return tuple(spec.column(name) for name in dict.fromkeys([*spec.features, *spec.key]))


def rows_of_table(spec: ModelSpec, table: Table, snapshot_id: str | None) -> Input:
    """The rows of `table` at a version (None: the newest), in the order of the key, so that a row keeps its number.

    LakeError when there is no such version, or when a column of the model is not in it.
    """
    name = ".".join(table.name())
    known = {str(each.snapshot_id): each.snapshot_id for each in table.snapshots()}
    newest = table.current_snapshot()
    if newest is None:
        raise LakeError(f"the table {name} has no rows yet")
    version = snapshot_id or str(newest.snapshot_id)
    if version not in known:
        raise LakeError(
            f"the table {name} has no version {version!r}; the newest of {len(known)} is {newest.snapshot_id}"
        )
    scan = table.scan(snapshot_id=known[version])
    columns = [column.name for column in needed_columns(spec)]
    missing = [column for column in columns if column not in scan.projection().column_names]
    if missing:
        raise LakeError(f"the table {name} has no column {missing[0]!r}, which the model {spec.name} needs")
    found = scan.select(*columns).to_arrow()
    order = [(column, "ascending") for column in spec.key]
    return _checked(spec, _parsed(found.sort_by(order)), name, version)  # pyright: ignore[reportUnknownMemberType, reportArgumentType]


def rows_of_objects(spec: ModelSpec, s3: "S3Client", uri: str) -> Input:
    """The rows of the object `uri`, or of all objects below it when it ends in `/`; LakeError when there is none."""
    bucket, key = split_uri(uri)
    whole = Input()
    for item in list_objects(s3, bucket=bucket, prefix=key):
        whole += _checked(spec, _read(spec, item, read_object(s3, item)), item.uri, item.etag)
    return whole


def _parsed(table: pa.Table) -> Parsed:
    records = cast("list[dict[str, object]]", table.to_pylist())
    return Parsed(
        rows=tuple(
            Row(line=number, values=record, raw=json.dumps(record, default=str, ensure_ascii=False))
            for number, record in enumerate(records, start=1)
        )
    )


def _read(spec: ModelSpec, item: LandedObject, body: bytes) -> Parsed:
    """With the target and whatever else the specification knows, or without: both are fine."""
    needed = {column.name for column in needed_columns(spec)}
    return parse(spec, item.key, body, frozenset(column.name for column in spec.columns) - needed)


def _narrowed(spec: ModelSpec) -> ModelSpec:
    return spec.model_copy(update={"columns": needed_columns(spec)})


def _checked(spec: ModelSpec, parsed: Parsed, source: str, version: str) -> Input:
    narrowed = _narrowed(spec)
    names = [column.name for column in narrowed.columns]
    found = validate(narrowed, parsed)
    rejects = [
        Reject(source=source, version=version, row=each.line, fields=each.fields, reason=each.reason, raw=each.raw)
        for each in found.rejections
    ]
    rows: list[InputRow] = []
    for each in found.rows:
        features = _picked(each.values, names, spec.features)
        if faults := _not_sendable(spec.features, features):
            fields, reason = tuple(faults), "; ".join(f"{name}: {why}" for name, why in faults.items())
            rejects.append(
                Reject(source=source, version=version, row=each.line, fields=fields, reason=reason, raw=each.raw)
            )
            continue
        key = _picked(each.values, names, spec.key)
        rows.append(InputRow(source=source, version=version, row=each.line, features=features, key=key))
    return Input(rows=tuple(rows), rejects=tuple(rejects))


def _not_sendable(names: Sequence[str], values: Sequence[Value]) -> dict[str, str]:
    """What a line of CSV cannot carry to the model, by field: an empty cell is nothing, a line is a record."""
    faults: dict[str, str] = {}
    for name, value in zip(names, values, strict=True):
        if value == "":
            faults[name] = "an empty text reaches the model as nothing in a batch; expected a text of some length"
        elif isinstance(value, str) and ("\n" in value or "\r" in value):
            faults[name] = f"a line break ends the record in a batch; expected a text of one line, got {value!r}"
    return faults


def _picked(values: Sequence[Value], names: Sequence[str], wanted: Sequence[str]) -> tuple[Value, ...]:
    return tuple(values[names.index(name)] for name in wanted)
