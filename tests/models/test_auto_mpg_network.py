import csv
import io

import numpy as np
import numpy.typing as npt
import pytest
import torch

from models.auto_mpg.network import Hyperparameters, build
from models.auto_mpg.source import fetch
from models.rows import feature_matrix
from models.spec import ModelSpec
from training.network import Network
from training.specs import spec_named

Cars = tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]
SMALL = Hyperparameters(members=4, width=8)


@pytest.fixture(scope="module")
def spec() -> ModelSpec:
    return spec_named("auto-mpg")


@pytest.fixture(scope="module")
def rows(spec: ModelSpec) -> Cars:
    cars = [row for row in csv.DictReader(io.StringIO(fetch().decode())) if row["mpg"]]
    columns: dict[str, list[object]] = {
        column.name: [car[column.name] if not column.is_numeric else float(car[column.name] or "nan") for car in cars]
        for column in spec.columns
    }
    return feature_matrix(spec, columns), np.array(columns["mpg"], dtype=np.float64)


def network(spec: ModelSpec, rows: Cars, seed: int = 0) -> Network:
    return build(spec, SMALL, *rows, torch.Generator().manual_seed(seed)).eval()


def test_every_row_gets_a_finite_prediction(spec: ModelSpec, rows: Cars) -> None:
    features, target = rows
    assert np.isnan(features).sum() == 6, "six cars have no horsepower"
    with torch.no_grad():
        prediction = network(spec, rows)(torch.tensor(features))
    assert prediction.shape == target.shape
    assert torch.isfinite(prediction).all()
    assert (prediction > 0).all(), "the logarithm of the target keeps predictions positive"


def test_preprocessing_is_fitted_on_the_rows_it_was_given(spec: ModelSpec, rows: Cars) -> None:
    features, target = rows
    preprocessing = network(spec, (features[:200], target[:200])).get_submodule("preprocessing")
    inputs = preprocessing(torch.tensor(features[:200]))
    assert inputs.shape == (200, 9), "six numbers and three origins"
    assert torch.allclose(inputs.mean(dim=0), torch.zeros(9), atol=1e-4)
    assert torch.allclose(inputs.std(dim=0, correction=0)[[0, 1, 3, 4]], torch.ones(4), atol=1e-4)
    assert not torch.allclose(preprocessing(torch.tensor(features)).mean(dim=0), torch.zeros(9), atol=1e-2)


def test_the_seed_decides_the_weights(spec: ModelSpec, rows: Cars) -> None:
    first, again, other = (network(spec, rows, seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["ensemble.layers.0.weight"], other["ensemble.layers.0.weight"])


def test_members_learn_from_their_own_bags_only(spec: ModelSpec, rows: Cars) -> None:
    features, target = (torch.tensor(values, dtype=torch.float32) for values in rows)
    model = network(spec, rows)
    bags = model.get_buffer("bags")
    outside = int((bags[0] == 0).nonzero()[0])
    chosen = torch.tensor([outside])
    model.loss(features[chosen], target[chosen], chosen, torch.Generator().manual_seed(0)).backward()
    gradient = model.get_parameter("ensemble.layers.0.weight").grad
    assert gradient is not None
    assert float(gradient[0].abs().sum()) == 0
    assert float(gradient[bags[:, outside] > 0].abs().sum()) > 0
