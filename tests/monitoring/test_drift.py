"""The stability index: nothing for the same shares, more the further they move, finite for what was never seen."""

import numpy as np
import pytest

from monitoring.baseline import Bins, CategoryDistribution
from monitoring.drift import category_drift, number_drift, stability_index


def test_the_same_shares_have_no_drift() -> None:
    assert stability_index([10, 20, 30], [1, 2, 3]) == pytest.approx(0)


def test_the_formula_on_two_bins() -> None:
    expected = (0.8 - 0.5) * np.log(0.8 / 0.5) + (0.2 - 0.5) * np.log(0.2 / 0.5)
    assert stability_index([50, 50], [80, 20]) == pytest.approx(expected)


def test_an_empty_bin_is_finite_and_counts() -> None:
    assert 0.2 < stability_index([50, 50], [100, 0]) < 10


def test_nothing_found_is_no_drift() -> None:
    assert stability_index([50, 50], [0, 0]) == 0


def test_numbers_outside_of_the_training_range_fall_into_the_outermost_bins() -> None:
    bins = Bins(edges=(0.0, 1.0, 2.0), counts=(50, 50))
    assert number_drift(bins, np.array([-5.0, 0.5, 1.5, 9.0, np.nan])) == pytest.approx(0)
    assert number_drift(bins, np.array([9.0] * 10)) > 0.2


def test_categories_that_were_never_seen_drift() -> None:
    seen = CategoryDistribution(name="origin", rows=100, null_fraction=0, counts={"USA": 60, "Japan": 40})
    assert category_drift(seen, ["USA"] * 60 + ["Japan"] * 40) < 0.01
    assert category_drift(seen, ["Mars"] * 10) > 1
