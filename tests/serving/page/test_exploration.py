import json
import math
from typing import Any

import numpy as np
import pytest

from models.schema import Column
from monitoring.baseline import PersonalDistribution, describe_categories, describe_numbers
from serving.core.service import Service
from serving.page.exploration import CURVE_CATEGORIES, CURVE_POINTS, explored

FLOAT = Column(name="x", type="float", minimum=0, maximum=100)
WHOLE = Column(name="x", type="integer", minimum=0, maximum=100)


def test_the_typical_number_is_the_median_and_the_range_the_middle_80_per_cent() -> None:
    found = explored(FLOAT, describe_numbers("x", np.arange(0.0, 101.0)))
    assert found["typical"] == 50
    assert (found["range"][0], found["range"][-1]) == (10, 90)
    assert found["trained"] == [0, 100]


def test_a_median_that_many_rows_share_is_found() -> None:
    values = np.array([3.0] * 2 + [4.0] * 60 + [5.0] * 3 + [6.0] * 35)
    assert explored(WHOLE, describe_numbers("x", values))["typical"] == np.median(values) == 4


@pytest.mark.parametrize("seed", range(20))
def test_the_median_is_that_of_the_rows(seed: int) -> None:
    random = np.random.default_rng(seed)
    values = np.clip(np.round(random.normal(50, 10, 40 + seed), seed % 3), 0, 100)
    found = explored(FLOAT, describe_numbers("x", values))["typical"]
    assert found == pytest.approx(np.median(values), rel=1e-4)


def test_a_curve_goes_beyond_the_training_range_but_not_beyond_the_specification() -> None:
    curve = explored(FLOAT, describe_numbers("x", np.array([2.0, 80.0])))["curve"]
    assert (curve[0], curve[-1], len(curve)) == (0, pytest.approx(91.7), CURVE_POINTS)
    assert curve == sorted(curve)


def test_whole_numbers_stay_whole_and_do_not_repeat() -> None:
    found = explored(WHOLE, describe_numbers("x", np.array([3.0, 8.0])))
    assert found["curve"] == [2, 3, 4, 5, 6, 7, 8, 9]
    assert all(isinstance(value, int) for value in [found["typical"], *found["range"], *found["curve"]])


def test_a_field_of_one_value_has_a_curve_too() -> None:
    assert len(explored(FLOAT, describe_numbers("x", np.array([5.0, 5.0])))["curve"]) > 2


def test_a_limit_that_float32_does_not_hold_is_kept() -> None:
    column = Column(name="x", type="float", minimum=0.7, maximum=0.9)
    found = explored(column, describe_numbers("x", np.array([0.7, 0.8, 0.9], dtype=np.float32)))
    assert all(0.7 <= value <= 0.9 for value in [found["typical"], *found["range"], *found["curve"]])


def test_categories_come_by_frequency_and_the_unknown_one_last() -> None:
    column = Column(name="x", type="category", categories=("a", "b", "c"), nullable=True)
    found = explored(column, describe_categories("x", np.array([1.0, 1.0, 0.0, np.nan]), column.categories))
    assert (found["typical"], found["range"], found["curve"]) == ("b", ["b", "a"], ["b", "a", "c", None])


def test_of_many_categories_the_frequent_ones_are_tried() -> None:
    column = Column(name="x", type="category", categories=tuple(f"c{i}" for i in range(500)))
    found = explored(column, describe_categories("x", np.full(9, 499.0), column.categories))
    assert (found["curve"][0], len(found["curve"])) == ("c499", CURVE_CATEGORIES)


def test_a_narrow_range_far_from_zero_keeps_its_values() -> None:
    column = Column(name="x", type="float")
    found = explored(column, describe_numbers("x", np.linspace(1_700_000_000.0, 1_700_005_000.0, 1001)))
    assert found["typical"] == pytest.approx(1_700_002_500, abs=0.1)
    assert (len(found["range"]), len(found["curve"])) == (9, CURVE_POINTS)


def test_small_values_in_a_wide_range_do_not_become_zero() -> None:
    found = explored(Column(name="x", type="float"), describe_numbers("x", np.array([*[0.25] * 99, 1e9])))
    assert found["typical"] == 0.25


@pytest.mark.parametrize(
    ("limits", "typical", "ends"),
    [
        ({"minimum": 10.0, "maximum": 30.0}, 20, (10, 30)),
        ({"minimum": 10.0}, 10, (10, 20)),
        ({"maximum": -10.0}, -10, (-20, -10)),
        ({}, 0, (-1, 1)),
    ],
)
@pytest.mark.parametrize("type_", ["float", "integer"])
def test_a_field_without_training_data_is_explored_where_it_takes_values(
    type_: Any, limits: dict[str, float], typical: float, ends: tuple[float, float]
) -> None:
    found = explored(Column(name="x", type=type_, pii=True, **limits), PersonalDistribution(name="x"))  # pyright: ignore[reportArgumentType]
    assert (found["typical"], found["trained"]) == (typical, None)
    assert (found["range"][0], found["range"][-1]) == ends
    assert len(found["curve"]) > 2
    assert min(found["curve"]) >= limits.get("minimum", -math.inf)
    assert max(found["curve"]) <= limits.get("maximum", math.inf)


def test_a_personal_category_is_explored_over_all_of_them() -> None:
    column = Column(name="x", type="category", categories=("a", "b"), nullable=True, pii=True)
    found = explored(column, PersonalDistribution(name="x"))
    assert (found["typical"], found["range"], found["curve"]) == ("a", ["a", "b"], ["a", "b", None])


def test_every_value_that_is_tried_is_one_that_the_server_takes(service: Service) -> None:
    row = {name: service.artefact.baseline.sample[0][name] for name in service.spec.features}
    for column in service.spec.feature_columns:
        found = explored(column, service.artefact.baseline.feature(column.name))
        rows = [{**row, column.name: value} for value in (found["typical"], *found["range"], *found["curve"])]
        assert service.decode(json.dumps(rows).encode(), "application/json").rows == len(rows)
