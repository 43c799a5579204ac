from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
