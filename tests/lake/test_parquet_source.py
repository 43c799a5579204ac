"""Parquet, right and wrong."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lake.parquet_source import parse_parquet
from models.spec import ModelSpec


def parquet_of(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, row_group_size=2)
    return sink.getvalue()


def test_rows_are_numbered_through_all_row_groups(spec, car):
    parsed = parse_parquet(spec, parquet_of(pa.Table.from_pylist([car] * 5)))

    assert parsed.rejections == ()
    assert [row.line for row in parsed.rows] == [1, 2, 3, 4, 5]
    assert parsed.rows[4].values == car
    assert '"name": "vega"' in parsed.rows[4].raw


@pytest.mark.parametrize("cut", [0.01, 0.3, 0.9, 0.999])
def test_a_truncated_file_is_refused(spec, car, cut):
    body = parquet_of(pa.Table.from_pylist([car] * 50))

    parsed = parse_parquet(spec, body[: int(len(body) * cut)])

    assert parsed.rows == ()
    (rejection,) = parsed.rejections
    assert rejection.line == 0
    assert "not readable as Parquet" in rejection.reason
    assert "expected a complete Parquet file" in rejection.reason


def test_columns_that_do_not_fit_are_told(spec, car):
    table = pa.Table.from_pylist([car]).rename_columns(["name", "miles", *list(car)[2:]])

    (rejection,) = parse_parquet(spec, parquet_of(table)).rejections

    assert rejection.fields == ("mpg", "miles")
    assert "columns: mpg: missing; miles: unknown; expected name, mpg" in rejection.reason


def test_a_file_without_rows_is_told(spec, car):
    (rejection,) = parse_parquet(spec, parquet_of(pa.Table.from_pylist([car]).slice(0, 0))).rejections

    assert "without rows" in rejection.reason


@settings(deadline=None)
@given(position=st.integers(0, 10**6), byte=st.integers(1, 255))
def test_damage_is_told_never_raised(spec: ModelSpec, position: int, byte: int):
    columns = {column.name: ["1", "2", "3"] for column in spec.columns}
    body = bytearray(parquet_of(pa.table(columns)))
    body[position % len(body)] ^= byte

    parsed = parse_parquet(spec, bytes(body))

    assert bool(parsed.rows) != bool(parsed.rejections)
