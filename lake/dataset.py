"""A version of the table as the training job gets it: checked as a whole, split by key, exported as Parquet.

The same version and specification give the same bytes: rows are sorted by key, and a row's side of the split depends on
its key alone.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from lake.catalog import Lake
from lake.errors import DatasetError, LakeError
from lake.locations import put, split_uri
from lake.snapshots import rows_at
from models.rows import Side, split_of
from models.spec import ModelSpec

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

SIDES: tuple[Side, ...] = ("train", "validation", "test")
# Below this a metric says more about the draw of the rows than about the model.
_LEAST_ROWS_PER_SIDE = 10


@dataclass(frozen=True, kw_only=True)
class Check:
    """One rule about the whole table, whether it holds, and what was found and expected."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True, kw_only=True)
class DatasetResult:
    """What was exported where; row counts by side of the split."""

    snapshot_id: str
    export: str
    rows: int
    train_rows: int
    validation_rows: int
    test_rows: int
    checks: tuple[Check, ...]

    def to_dict(self) -> dict[str, Any]:
        """As the job's result file holds it."""
        return asdict(self)


def export_dataset(*, s3: "S3Client", lake: Lake, spec: ModelSpec, snapshot_id: str, export: str) -> DatasetResult:
    """Check the version `snapshot_id` and write it below `export` (`s3://bucket/prefix/`).

    Written are train.parquet, validation.parquet, test.parquet and, last, dataset.json. DatasetError, with every check
    that failed, before anything is written; LakeError when there is no such version.
    """
    if not snapshot_id:
        raise LakeError(f"model {spec.name}: no version to export; every row so far was refused, see the quarantine")
    rows = rows_at(lake, spec, snapshot_id)
    sides = split(spec, rows)
    checks = check(spec, rows, sides)
    failed = [f"{item.name}: {item.detail}" for item in checks if not item.passed]
    if failed:
        raise DatasetError(f"model {spec.name}, version {snapshot_id}: {'; '.join(failed)}")
    where = f"{export.rstrip('/')}/"
    split_uri(where)
    for side, part in sides.items():
        put(s3, f"{where}{side}.parquet", _parquet(part))
    description = {
        "model": spec.name,
        "table": f"{lake.location.curated_database}.{spec.table}",
        "snapshot_id": snapshot_id,
        "rows": rows.num_rows,
        "spec_digest": spec.digest,
    }
    put(s3, f"{where}dataset.json", (json.dumps(description, indent=2) + "\n").encode())
    return DatasetResult(
        snapshot_id=snapshot_id,
        export=where,
        rows=rows.num_rows,
        train_rows=sides["train"].num_rows,
        validation_rows=sides["validation"].num_rows,
        test_rows=sides["test"].num_rows,
        checks=checks,
    )


def split(spec: ModelSpec, rows: pa.Table) -> dict[Side, pa.Table]:
    """`rows` by side, each in the order of `rows`."""
    keys = zip(*(rows.column(name).to_pylist() for name in spec.key), strict=True)
    sides = [split_of(spec.split, key) for key in keys]
    return {side: rows.filter(pa.array([found == side for found in sides], pa.bool_())) for side in SIDES}


def check(spec: ModelSpec, rows: pa.Table, sides: Mapping[Side, pa.Table]) -> tuple[Check, ...]:
    """The rules of `spec.data` and those that any training needs, all of them, in a fixed order."""
    checks = [_at_least("rows", rows.num_rows, spec.data.minimum_rows)]
    checks += [_at_least(f"{side} rows", sides[side].num_rows, _LEAST_ROWS_PER_SIDE) for side in SIDES]
    for column in spec.columns:
        nulls = rows.column(column.name).null_count
        share = nulls / max(rows.num_rows, 1)
        limit = spec.data.maximum_null_fraction if column.nullable else 0.0
        detail = f"{nulls} of {rows.num_rows} rows are null ({share:.1%}), expected at most {limit:.1%}"
        checks.append(Check(name=f"{column.name} nulls", passed=share <= limit, detail=detail))
    keys = rows.group_by(list(spec.key)).aggregate([]).num_rows
    detail = f"{keys} keys in {rows.num_rows} rows, expected as many"
    checks.append(Check(name="unique keys", passed=keys == rows.num_rows, detail=detail))
    checks.append(_varies(spec.target, sides["train"]))
    return tuple(checks)


def _at_least(name: str, found: int, expected: int) -> Check:
    return Check(name=name, passed=found >= expected, detail=f"{found}, expected at least {expected}")


def _varies(target: str, rows: pa.Table) -> Check:
    """A constant target cannot be learnt, and makes every relative metric a division by zero."""
    distinct = len(set(rows.column(target).to_pylist()))
    detail = f"{distinct} distinct values in the training rows, expected at least 2"
    return Check(name=f"{target} varies", passed=distinct >= 2, detail=detail)


def _parquet(rows: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(  # pyright: ignore[reportUnknownMemberType] the stubs are not complete
        rows.replace_schema_metadata(None), sink, compression="zstd"
    )
    return sink.getvalue().to_pybytes()
