import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.metrics import improvement, regression_metrics

values = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30)


def test_known_values() -> None:
    found = regression_metrics(np.array([10.0, 20.0, 30.0]), np.array([12.0, 20.0, 26.0]))
    assert found["mae"] == 2.0
    assert found["rmse"] == pytest.approx((20 / 3) ** 0.5)
    assert found["r2"] == pytest.approx(1 - 20 / 200)
    assert found["mape"] == pytest.approx((0.2 + 4 / 30) / 3)


@settings(deadline=None)
@given(values)
def test_a_perfect_prediction_has_no_error(target: list[float]) -> None:
    found = regression_metrics(np.array(target), np.array(target))
    assert (found["mae"], found["rmse"], found["mape"]) == (0, 0, 0)


def test_improvement_knows_which_way_is_better() -> None:
    assert improvement("mae", 1.8, 2.0) == pytest.approx(0.1)
    assert improvement("r2", 0.9, 0.8) == pytest.approx(0.125)
    assert improvement("mae", 1.0, 0.0) == -1
    assert improvement("mae", 0.0, 0.0) == 0
