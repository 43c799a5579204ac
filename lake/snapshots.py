"""The versions of a model's table: each Iceberg snapshot is one, and its id names the dataset wherever it goes.

A snapshot id is a 64-bit number; at every border it is text, since JSON readers (Step Functions among them) keep no
more than 53 bits of a number.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import pyarrow as pa
from pyiceberg.table import Table

from lake.catalog import Lake
from lake.errors import LakeError
from lake.schemas import arrow_schema, curated_schema
from models.spec import ModelSpec


@dataclass(frozen=True, kw_only=True)
class SnapshotInfo:
    """One version of the table: when it was committed (UTC), what it added and how many rows it then had."""

    snapshot_id: str
    parent_id: str | None
    committed_at: datetime
    operation: str
    rows_added: int
    rows: int


def history(lake: Lake, spec: ModelSpec) -> tuple[SnapshotInfo, ...]:
    """Every version of the table, oldest first; empty when nothing was ingested yet."""
    table = lake.find_curated(spec)
    if table is None:
        return ()
    return tuple(
        SnapshotInfo(
            snapshot_id=str(snapshot.snapshot_id),
            parent_id=None if snapshot.parent_snapshot_id is None else str(snapshot.parent_snapshot_id),
            committed_at=datetime.fromtimestamp(snapshot.timestamp_ms / 1000, tz=UTC),
            operation=snapshot.summary.operation.value if snapshot.summary else "",
            rows_added=int((snapshot.summary["added-records"] if snapshot.summary else None) or 0),
            rows=int((snapshot.summary["total-records"] if snapshot.summary else None) or 0),
        )
        for snapshot in table.snapshots()
    )


def rows_at(lake: Lake, spec: ModelSpec, snapshot_id: str | None = None) -> pa.Table:
    """The rows of the version `snapshot_id` (None: the newest): the columns of `spec`, sorted by key.

    So the same version is the same table, byte for byte, however many files it lies in. A column that is younger than
    the version is null throughout. LakeError when there is no such version.
    """
    table = lake.find_curated(spec)
    snapshot = _pinned(table, spec, snapshot_id) if table is not None else None
    if table is None or snapshot is None:
        raise LakeError(f"model {spec.name}: no rows were ingested yet, so there is no version to read")
    scan = table.scan(snapshot_id=snapshot)
    wanted = arrow_schema(curated_schema(spec).select(*(column.name for column in spec.columns)))
    there = [name for name in wanted.names if name in scan.projection().column_names]
    found = scan.select(*there).to_arrow()
    rows = pa.concat_tables([wanted.empty_table(), found], promote_options="permissive").cast(wanted)
    order: list[tuple[str, Literal["ascending", "descending"]]] = [(name, "ascending") for name in spec.key]
    return rows.sort_by(order).combine_chunks()  # pyright: ignore[reportUnknownMemberType] the stubs are not complete


def _pinned(table: Table, spec: ModelSpec, snapshot_id: str | None) -> int | None:
    """The number of the version, or of the newest; None when the table never had a row."""
    if snapshot_id is None:
        newest = table.current_snapshot()
        return newest.snapshot_id if newest else None
    known = {str(snapshot.snapshot_id): snapshot.snapshot_id for snapshot in table.snapshots()}
    if snapshot_id not in known:
        newest = table.current_snapshot()
        hint = f"the newest of {len(known)} is {newest.snapshot_id}" if newest else "it has none yet"
        raise LakeError(f"model {spec.name}: the table {'.'.join(table.name())} has no version {snapshot_id!r}; {hint}")
    return known[snapshot_id]
