import json
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.rows import feature_matrix
from models.spec import ModelSpec
from monitoring.baseline import (
    Baseline,
    BaselineError,
    PersonalDistribution,
    describe,
    describe_categories,
    describe_numbers,
    without_personal,
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
    assert horsepower.kind == "number"
    assert horsepower.null_fraction == 0.5
    assert origin.kind == "category"
    assert origin.counts == {"USA": 1, "Europe": 0, "Japan": 1}
    assert [row["mpg"] for row in baseline.sample] == [14.0, 30.0]
    with pytest.raises(KeyError):
        baseline.feature("colour")


COUNT = 30
CARS: dict[str, list[object]] = {
    "cylinders": [4] * COUNT,
    "displacement": [100.5 + i for i in range(COUNT)],
    "horsepower": [None, *(50.25 + i for i in range(1, COUNT))],
    "weight": [2003 + 7 * i for i in range(COUNT)],
    "acceleration": [15.0] * COUNT,
    "model_year": [1970] * COUNT,
    "origin": ["Japan" if i % 6 == 0 else "USA" for i in range(COUNT)],
    "mpg": [20.0625 + i / 4 for i in range(COUNT)],
}
"""Each number is that of one car, and a category occurs that is not the specification's first."""


def marked(*names: str) -> ModelSpec:
    """The specification of the cars, whose columns `names` are personal."""
    spec = spec_named("auto-mpg")
    columns = tuple(column.model_copy(update={"pii": column.name in names}) for column in spec.columns)
    return spec.model_copy(update={"columns": columns})


def personal(*names: str) -> Baseline:
    """The baseline of the cars, whose columns `names` are personal."""
    spec = marked(*names)
    target = np.array(CARS["mpg"], dtype=np.float64)
    return describe(spec, CARS, feature_matrix(spec, CARS), target, target)


def leaves(part: object) -> Iterator[object]:
    """Every key and every value of a document."""
    if isinstance(part, dict):
        for key, value in cast("dict[str, object]", part).items():
            yield key
            yield from leaves(value)
    elif isinstance(part, list):
        for value in cast("list[object]", part):
            yield from leaves(value)
    else:
        yield part


@pytest.mark.parametrize("name", ["displacement", "horsepower", "weight", "origin", "mpg"])
def test_no_value_of_a_personal_column_is_in_the_file(name: str, tmp_path: Path) -> None:
    own = {value for value in CARS[name] if value not in (None, "USA")}
    for kept, baseline in ((True, personal()), (False, personal(name))):
        baseline.save(tmp_path / "baseline.json")
        assert Baseline.load(tmp_path / "baseline.json") == baseline
        told = set(leaves(json.loads((tmp_path / "baseline.json").read_text())))
        assert bool(own & told) == kept, f"{name}: {own & told}"


def test_a_personal_feature_stands_in_its_place_and_the_others_stay_as_they_are() -> None:
    of_all, closed = personal(), personal("weight", "origin")
    assert [part.name for part in closed.features] == [part.name for part in of_all.features]
    assert closed.feature("weight") == PersonalDistribution(name="weight")
    assert closed.feature("displacement") == of_all.feature("displacement")
    assert (closed.target, closed.prediction) == (of_all.target, of_all.prediction)
    weight = spec_named("auto-mpg").column("weight")
    assert {row["weight"] for row in closed.sample} == {weight.stand_in}
    assert {row["origin"] for row in closed.sample} == {"USA"}
    assert [row["displacement"] for row in closed.sample] == [row["displacement"] for row in of_all.sample]


def test_of_a_personal_target_neither_rows_nor_predictions_are_told() -> None:
    closed = personal("mpg")
    assert (closed.target.kind, closed.prediction.kind) == ("personal", "personal")
    assert len(closed.sample) == 5
    assert not [row for row in closed.sample if "mpg" in row]


@pytest.mark.parametrize("names", [(), ("horsepower",), ("origin",), ("mpg",), ("weight", "origin", "mpg")])
def test_a_baseline_that_tells_personal_columns_whole_becomes_as_one_written_now(names: tuple[str, ...]) -> None:
    closed = without_personal(personal(), marked(*names))
    assert [part.name for part in closed.features if part.kind == "personal"] == [n for n in names if n != "mpg"]
    own = {value for name in names for value in CARS[name] if value not in (None, "USA")}
    assert not own & set(leaves(json.loads(closed.model_dump_json())))
    assert closed == personal(*names)
    assert without_personal(closed, marked(*names)) == closed


def test_a_personal_value_in_a_sample_row_that_is_neither_feature_nor_target_is_left_out() -> None:
    whole = personal()
    named = whole.model_copy(update={"sample": tuple(row | {"name": "ford pinto"} for row in whole.sample)})
    assert without_personal(named, marked("name")) == whole
    assert without_personal(named, marked()) == named


def test_a_damaged_file_is_named(baseline: Baseline, tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    with pytest.raises(BaselineError, match=r"baseline.json: no such file"):
        Baseline.load(path)
    path.write_text(baseline.model_dump_json().replace('"rows":2', '"rows":0', 1))
    with pytest.raises(BaselineError, match=r"baseline.json: rows: "):
        Baseline.load(path)


@settings(deadline=None)
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
