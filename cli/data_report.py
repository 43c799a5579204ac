"""The data report of a model, read from the lake and printed.

Apart from the command, because what reads Iceberg takes two seconds to import and the other commands need not wait.
"""

from dataclasses import asdict

import boto3

from cli.connection import Connection
from cli.output import console, print_json, print_table
from lake.catalog import Lake, LakeLocation
from lake.statistics import ColumnStatistics, DataReport, QuarantineReason, report
from models.spec import ModelSpec

_SHOWN_VALUES = 5


def show_report(connection: Connection, spec: ModelSpec, snapshot: str | None, *, as_json: bool) -> None:
    """Print what there is to say of the model's data at a version (None: the newest)."""
    found = report(open_lake(connection), spec, snapshot)
    if as_json:
        print_json(asdict(found))
    else:
        _print(found)


def open_lake(connection: Connection) -> Lake:
    """The stack's tables."""
    names = connection.names
    location = LakeLocation(
        warehouse=f"s3://{names.bucket('lake')}/warehouse/",
        curated_database=names.database("curated"),
        quarantine_database=names.database("quarantine"),
        predictions_database=names.database("predictions"),
    )
    return Lake(boto3.Session(region_name=names.region), location)


def _print(found: DataReport) -> None:
    console.print(f"{found.table}: {found.rows} rows, {found.quarantined} in quarantine\n", markup=False)
    print_table(
        "snapshots",
        ("snapshot", "committed (UTC)", "rows added", "rows"),
        [
            (version.snapshot_id, f"{version.committed_at:%Y-%m-%d %H:%M:%S}", version.rows_added, version.rows)
            for version in found.snapshots
        ],
    )
    console.print()
    print_table(
        "numbers",
        ("column", "unit", "nulls", "distinct", "minimum", "median", "maximum", "mean", "deviation"),
        [_number(column) for column in found.columns if column.mean is not None],
    )
    console.print()
    print_table(
        "texts and categories",
        ("column", "nulls", "distinct", "most common"),
        [_text(column) for column in found.columns if column.most_common],
    )
    console.print()
    print_table(
        "quarantine",
        ("rows", "reason", "first at"),
        [(reason.rows, reason.reason, _place(reason)) for reason in found.reasons],
    )


def _place(reason: QuarantineReason) -> str:
    return f"{reason.object} line {reason.line}" if reason.line else reason.object


def _number(column: ColumnStatistics) -> tuple[object, ...]:
    figures = (column.minimum, column.median, column.maximum, column.mean, column.deviation)
    rounded = (None if figure is None else float(f"{figure:.4g}") for figure in figures)
    return (column.name, column.unit, column.nulls, column.distinct, *rounded)


def _text(column: ColumnStatistics) -> tuple[object, ...]:
    common = ", ".join(f"{value} ({count})" for value, count in column.most_common[:_SHOWN_VALUES])
    return (column.name, column.nulls, column.distinct, common)
