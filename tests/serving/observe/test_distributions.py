import numpy as np
import pytest

from models.schema import Column
from monitoring.baseline import (
    Baseline,
    NumberDistribution,
    PersonalDistribution,
    describe_categories,
    describe_numbers,
)
from monitoring.drift import number_drift, stability_index
from serving.core.service import Service
from serving.observe.distributions import MAX_FEATURES, Binner, distributions_of

TARGET = Column(name="mpg", type="float")


def counted(service: Service, rows: np.ndarray, predictions: np.ndarray) -> dict[str, dict[str, int]]:
    baseline = service.artefact.baseline
    counts = iter(Binner(baseline, TARGET).count(rows, predictions).tolist())
    return {part.name: {label: next(counts) for label in part.bins} for part in distributions_of(baseline, TARGET)}


def test_every_value_of_a_row_is_in_one_bin(service: Service) -> None:
    rows = np.array([[4, 97, np.nan, 2130, 14.5, 1971, 2], [8, 9999, 150, -5, 12, 1970, 0]], dtype=np.float32)
    found = counted(service, rows, np.array([20.0, np.nan], dtype=np.float32))
    assert found["horsepower"]["null"] == found["prediction"]["null"] == 1
    assert found["origin"] == {"USA": 1, "Europe": 0, "Japan": 1, "null": 0}
    assert all(sum(bins.values()) == 2 for bins in found.values())
    displacement, weight = list(found["displacement"].values()), list(found["weight"].values())
    assert displacement[-2] == 1, "what lies above all bins is in the last one"
    assert weight[0] == 1, "what lies below all bins is in the first one"


def test_the_bins_are_those_of_the_stability_index(service: Service) -> None:
    """The index over what is counted here is the one that monitoring computes from the values themselves."""
    random = np.random.default_rng(3)
    rows = random.uniform(1600, 5000, (500, 7)).astype(np.float32)
    weight = service.artefact.baseline.feature("weight")
    assert isinstance(weight, NumberDistribution)
    found = counted(service, rows, rows[:, 0])["weight"]
    assert stability_index(weight.quantiles.counts, list(found.values())[:-1]) == pytest.approx(
        number_drift(weight.quantiles, rows[:, 3].astype(np.float64))
    )


def test_shares_of_the_training_rows_sum_to_one(service: Service) -> None:
    for part in distributions_of(service.artefact.baseline, service.spec.target_column):
        assert sum(part.shares) == pytest.approx(1)
        assert len(part.shares) == len(part.bins) == len(set(part.bins))
    horsepower = distributions_of(service.artefact.baseline, service.spec.target_column)[3]
    assert horsepower.shares[-1] == pytest.approx(3 / 120)


def baseline_of(*features: object) -> Baseline:
    prediction = describe_numbers("prediction", np.array([1.0, 2.0, 3.0]))
    return Baseline.model_validate(
        {"model": "m", "rows": 3, "features": features, "target": prediction, "prediction": prediction, "sample": ()}
    )


def test_odd_columns_have_bins_too() -> None:
    constant = describe_numbers("constant", np.array([5.0, 5.0, 5.0]))
    close = describe_numbers("close", 1e6 + np.arange(100) * 1e-4)
    null = describe_categories("null", np.array([0.0, np.nan]), ["null"])
    by_name = {part.name: part for part in distributions_of(baseline_of(constant, close, null), TARGET)}
    assert by_name["constant"].bins == ("any", "null")
    assert by_name["close"].bins[:2] == ("01", "02")
    assert by_name["null"].bins == ("null (category)", "null")


def test_what_is_personal_is_counted_without_bins_of_its_values() -> None:
    weight = describe_numbers("weight", np.array([1.0, 2.0, 3.0]))
    baseline = baseline_of(PersonalDistribution(name="age"), weight)
    baseline = baseline.model_copy(update={"prediction": PersonalDistribution(name="prediction")})
    prediction, age, _ = distributions_of(baseline, TARGET)
    assert (prediction.bins, prediction.shares) == (age.bins, age.shares) == (("any", "null"), ())
    rows = np.array([[40, 1.5], [np.nan, 2.5], [50, 9.0]], dtype=np.float32)
    found = Binner(baseline, TARGET).count(rows, np.array([1, np.nan, 3], dtype=np.float32)).tolist()
    assert (found[:2], found[2:4], sum(found[4:])) == ([2, 1], [2, 1], 3)


def test_where_all_is_personal_rows_are_counted_too() -> None:
    alone = PersonalDistribution(name="prediction")
    baseline = Baseline(
        model="m", rows=3, features=(PersonalDistribution(name="age"),), target=alone, prediction=alone, sample=()
    )
    rows = np.array([[40], [np.nan]], dtype=np.float32)
    assert Binner(baseline, TARGET).count(rows, np.zeros(2, np.float32)).tolist() == [2, 0, 1, 1]


def test_only_so_many_features_become_series() -> None:
    features = [describe_numbers(f"f{number}", np.array([0.0, 1.0])) for number in range(MAX_FEATURES + 10)]
    baseline = baseline_of(*features)
    assert len(distributions_of(baseline, TARGET)) == MAX_FEATURES + 1
    counts = Binner(baseline, TARGET).count(np.zeros((2, MAX_FEATURES + 10), np.float32), np.zeros(2, np.float32))
    assert counts.sum() == 2 * (MAX_FEATURES + 1)


def test_predicted_categories_are_counted_by_name() -> None:
    target = Column(name="kind", type="category", categories=("cat", "dog", "null"))
    baseline = baseline_of()
    (kind,) = distributions_of(baseline, target)
    assert (kind.bins, kind.shares) == (("cat", "dog", "null (category)", "null"), ())
    places = np.array([0, 1, 1, np.nan], dtype=np.float32)
    assert Binner(baseline, target).count(np.empty((4, 0), np.float32), places).tolist() == [1, 2, 0, 1]
