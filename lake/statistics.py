"""Figures of a version's columns and of the quarantine, computed by DuckDB over Arrow in memory."""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from lake.catalog import Lake
from lake.snapshots import SnapshotInfo, history, rows_at
from models.schema import Column
from models.spec import ModelSpec

_FOUND = re.compile(r", got .*?(?=; [a-z_0-9]+: expected |; duplicate key |$)", re.DOTALL)
_DUPLICATE = re.compile(r"; duplicate key .*$", re.DOTALL)
_BEFORE = re.compile(r"expected .*? as before")
_MOST_COMMON = 10


@dataclass(frozen=True, kw_only=True)
class ColumnStatistics:
    """Of one column. Numbers have minimum to maximum (in the column's unit), text and categories the most common."""

    name: str
    type: str
    unit: str
    rows: int
    nulls: int
    distinct: int
    minimum: float | None = None
    quartile_1: float | None = None
    median: float | None = None
    quartile_3: float | None = None
    maximum: float | None = None
    mean: float | None = None
    deviation: float | None = None
    """Sample standard deviation (n - 1); None below two values."""
    most_common: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, kw_only=True)
class QuarantineReason:
    """What was wrong, without the values found; how many rows, and where the first of them is."""

    reason: str
    rows: int
    object: str
    line: int


@dataclass(frozen=True, kw_only=True)
class DataReport:
    """What `drivetrain data` shows of a model: its versions, the rows of the newest, and what was refused."""

    model: str
    table: str
    snapshots: tuple[SnapshotInfo, ...]
    rows: int
    columns: tuple[ColumnStatistics, ...]
    quarantined: int
    reasons: tuple[QuarantineReason, ...]


def report(lake: Lake, spec: ModelSpec, snapshot_id: str | None = None) -> DataReport:
    """Everything there is to say of the data of `spec`, at a version (None: the newest); zeros before the first row.

    LakeError for a version that the table does not have.
    """
    snapshots = history(lake, spec)
    reasons = quarantine_reasons(lake, spec)
    rows = rows_at(lake, spec, snapshot_id) if snapshots or snapshot_id else None
    return DataReport(
        model=spec.name,
        table=f"{lake.location.curated_database}.{spec.table}",
        snapshots=snapshots,
        rows=rows.num_rows if rows is not None else 0,
        columns=column_statistics(spec, rows) if rows is not None else (),
        quarantined=sum(reason.rows for reason in reasons),
        reasons=reasons,
    )


def column_statistics(spec: ModelSpec, rows: pa.Table) -> tuple[ColumnStatistics, ...]:
    """The statistics of each column of `rows`, in the order of `spec.columns`."""
    with duckdb.connect() as connection:
        connection.register("dataset", rows)
        return tuple(_statistics(connection, column) for column in spec.columns)


def _statistics(connection: duckdb.DuckDBPyConnection, column: Column) -> ColumnStatistics:
    name = f'"{column.name}"'
    counts = _one(connection, f"count(*), count(*) - count({name}), count(distinct {name})")
    shared: dict[str, Any] = {"name": column.name, "type": column.type, "unit": column.unit}
    shared |= dict(zip(("rows", "nulls", "distinct"), counts, strict=True))
    if column.is_numeric:
        quantiles = ", ".join(f"quantile_cont({name}, {at})" for at in (0.25, 0.5, 0.75))
        figures = _one(connection, f"min({name}), {quantiles}, max({name}), avg({name}), stddev_samp({name})")
        names = ("minimum", "quartile_1", "median", "quartile_3", "maximum", "mean", "deviation")
        return ColumnStatistics(**shared, **dict(zip(names, figures, strict=True)))
    common = connection.execute(
        f"select {name}, count(*) as n from dataset where {name} is not null "  # noqa: S608 - names match [a-z0-9_]
        f"group by 1 order by n desc, 1 limit {_MOST_COMMON}"
    ).fetchall()
    return ColumnStatistics(**shared, most_common=tuple((str(value), int(count)) for value, count in common))


def _one(connection: duckdb.DuckDBPyConnection, expressions: str) -> tuple[Any, ...]:
    return connection.execute(f"select {expressions} from dataset").fetchall()[0]  # noqa: S608 - names match [a-z0-9_]


def quarantine_reasons(lake: Lake, spec: ModelSpec) -> tuple[QuarantineReason, ...]:
    """What was refused, by kind of reason, the most frequent first."""
    table = lake.find_quarantine(spec)
    if table is None or table.current_snapshot() is None:
        return ()
    rows = table.scan(selected_fields=("object", "line", "reason")).to_arrow().to_pylist()
    rows.sort(key=lambda row: (row["object"], row["line"]))
    counted = Counter(kind_of(row["reason"]) for row in rows)
    first = {kind_of(row["reason"]): row for row in reversed(rows)}
    return tuple(
        QuarantineReason(reason=kind, rows=count, object=first[kind]["object"], line=first[kind]["line"])
        for kind, count in counted.most_common()
    )


def kind_of(reason: str) -> str:
    """`reason` without the values that were found, so that equal mistakes count as one."""
    return _BEFORE.sub("expected the value as before", _DUPLICATE.sub("; duplicate key", _FOUND.sub("", reason)))
