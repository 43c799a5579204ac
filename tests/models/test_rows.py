"""Rows to numbers, and which side of the split a row is on."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.rows import feature_matrix, split_fraction, split_of
from models.schema import Split
from models.spec import load_spec

SPEC = load_spec(Path("models") / "auto_mpg")
ROW: dict[str, list[object]] = {
    "cylinders": [8, 4],
    "displacement": [307.0, 97.5],
    "horsepower": [None, 46],
    "weight": [3504, 1835],
    "acceleration": [12.0, 20.5],
    "model_year": [1970, 1971],
    "origin": ["USA", "Japan"],
}


def test_numbers_stay_null_is_nan_and_a_category_is_its_index() -> None:
    matrix = feature_matrix(SPEC, ROW)
    assert matrix.dtype == np.float32
    np.testing.assert_array_equal(
        matrix,
        np.array([[8, 307, np.nan, 3504, 12, 1970, 0], [4, 97.5, 46, 1835, 20.5, 1971, 2]], dtype=np.float32),
    )


def test_an_unknown_category_is_named() -> None:
    with pytest.raises(ValueError, match="origin: unknown category 'Mars'; known are USA, Europe, Japan"):
        feature_matrix(SPEC, {**ROW, "origin": ["USA", "Mars"]})


def test_a_missing_column_is_named() -> None:
    with pytest.raises(KeyError, match="origin"):
        feature_matrix(SPEC, {name: values for name, values in ROW.items() if name != "origin"})


@settings(deadline=None)
@given(st.integers(), st.lists(st.one_of(st.text(), st.integers()), min_size=1))
def test_a_row_never_changes_sides(seed: int, key: list[object]) -> None:
    split = Split(seed=seed)
    assert 0 <= split_fraction(seed, key) < 1
    assert split_of(split, key) == split_of(split, list(key))


def test_the_parts_of_a_key_do_not_run_together() -> None:
    assert split_fraction(0, ["ab", "c"]) != split_fraction(0, ["a", "bc"])


def test_the_sides_have_the_sizes_asked_for() -> None:
    split = Split(seed=3, test_fraction=0.2, validation_fraction=0.1)
    sides = [split_of(split, [i]) for i in range(20_000)]
    assert sides.count("test") / 20_000 == pytest.approx(0.2, abs=0.01)
    assert sides.count("validation") / 20_000 == pytest.approx(0.1, abs=0.01)
