from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.rows import feature_matrix
from monitoring.baseline import (
    Baseline,
    BaselineError,
    describe,
    describe_categories,
    describe_numbers,
)
from training.specs import spec_named

finite = st.floats(-1e9, 1e9, allow_nan=False)


@pytest.fixture
def baseline() -> Baseline:
    spec = spec_named("auto-mpg")
    columns: dict[str, list[object]] = {
        "cylinders": [4, 8], "displacement": [90.0, 350.0], "horsepower": [None, 150.0], "weight": [2000, 4000],
        "acceleration": [16.0, 11.0], "model_year": [1970, 1971], "origin": ["Japan", "USA"], "mpg": [30.0, 14.0],
    }  # fmt: skip
    features = np.array([[4, 90, np.nan, 2000, 16, 1970, 2], [8, 350, 150, 4000, 11, 1971, 0]], dtype=np.float32)
    return describe(spec, columns, features, np.array([30.0, 14.0]), np.array([29.0, 15.0]))


def test_saved_and_loaded_it_is_the_same(baseline: Baseline, tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    baseline.save(path)
    assert Baseline.load(path) == baseline
    horsepower, origin = baseline.feature("horsepower"), baseline.feature("origin")
    assert horsepower.null_fraction == 0.5
    assert origin.kind == "category"
    assert origin.counts == {"USA": 1, "Europe": 0, "Japan": 1}
    assert [row["mpg"] for row in baseline.sample] == [14.0, 30.0]
    with pytest.raises(KeyError):
        baseline.feature("colour")


def personal(*names: str) -> Baseline:
    """The baseline of 30 cars whose columns `names` are personal; each number is that of one car."""
    spec = spec_named("auto-mpg")
    columns = tuple(column.model_copy(update={"pii": column.name in names}) for column in spec.columns)
    spec = spec.model_copy(update={"columns": columns})
    count = 30
    rows: dict[str, list[object]] = {
        "cylinders": [4] * count,
        "displacement": [100.5 + i for i in range(count)],
        "horsepower": [None, *(50.25 + i for i in range(1, count))],
        "weight": [2000 + 7 * i for i in range(count)],
        "acceleration": [15.0] * count,
        "model_year": [1970] * count,
        "origin": ["Japan" if i % 6 == 0 else "USA" for i in range(count)],
        "mpg": [20.0 + i / 4 for i in range(count)],
    }
    target = np.array(rows["mpg"], dtype=np.float64)
    return describe(spec, rows, feature_matrix(spec, rows), target, target)


def test_a_personal_value_of_a_row_is_in_no_sample() -> None:
    open_rows, closed = personal().sample, personal("displacement", "horsepower", "weight", "origin").sample
    assert len({row["displacement"] for row in open_rows}) == len(closed) == 5
    assert {row["displacement"] for row in closed} == {115.0}
    assert {row["horsepower"] for row in closed} == {65.25}
    assert {row["weight"] for row in closed} == {2102}
    assert {row["origin"] for row in closed} == {"USA"}
    assert [row["mpg"] for row in closed] == [row["mpg"] for row in open_rows]


def test_a_personal_target_is_in_no_sample() -> None:
    assert {row["mpg"] for row in personal("mpg").sample} == {23.625}


def test_a_damaged_file_is_named(baseline: Baseline, tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    with pytest.raises(BaselineError, match=r"baseline.json: no such file"):
        Baseline.load(path)
    path.write_text(baseline.model_dump_json().replace('"rows":2', '"rows":0', 1))
    with pytest.raises(BaselineError, match=r"baseline.json: rows: "):
        Baseline.load(path)


@given(st.lists(finite, min_size=1, max_size=60))
def test_every_value_is_counted_once(values: list[float]) -> None:
    found = describe_numbers("x", np.array([*values, np.nan]))
    assert sum(found.quantiles.counts) == len(values)
    assert sum(found.histogram.counts) == len(values)
    assert found.percentile(found.minimum - 1) == 0
    assert found.percentile(found.maximum + 1) == 100


def test_percentile_of_evenly_spread_values() -> None:
    found = describe_numbers("x", np.arange(101.0))
    assert found.percentile(50) == pytest.approx(50, abs=1)


def test_a_column_without_values_is_named() -> None:
    with pytest.raises(ValueError, match="x: none of the 2 training rows has a value"):
        describe_numbers("x", np.array([np.nan, np.nan]))


def test_missing_categories_are_counted() -> None:
    found = describe_categories("c", np.array([0.0, np.nan, 1.0, 1.0]), ("a", "b"))
    assert found.counts == {"a": 1, "b": 2}
    assert found.null_fraction == 0.25
