"""What a person who knows cars expects of the model, whatever its mean error is."""

import csv
import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from models.auto_mpg.source import fetch
from models.rows import feature_matrix, split_of
from models.spec import ModelSpec
from training.dataset import Rows
from training.export import export_onnx
from training.fit import Surroundings
from training.network import load_network
from training.onnx_model import OnnxModel
from training.specs import spec_named
from training.train import Settings, fit_network, make_deterministic

Matrix = npt.NDArray[np.float32]


@pytest.fixture(scope="module")
def spec() -> ModelSpec:
    return spec_named("auto-mpg")


@pytest.fixture(scope="module")
def sides(spec: ModelSpec) -> dict[str, Rows]:
    cars = [row for row in csv.DictReader(io.StringIO(fetch().decode())) if row["mpg"]]
    found: dict[str, Rows] = {}
    for side in ("train", "validation", "test"):
        chosen = [car for car in cars if split_of(spec.split, [car[key] for key in spec.key]) == side]
        columns: dict[str, list[object]] = {
            c.name: [float(car[c.name] or "nan") if c.is_numeric else car[c.name] for car in chosen]
            for c in spec.columns
        }
        features = feature_matrix(spec, columns)
        found[side] = Rows(columns, features, np.array(columns[spec.target], dtype=np.float64))
    return found


@pytest.fixture(scope="module")
def model(spec: ModelSpec, sides: dict[str, Rows], tmp_path_factory: pytest.TempPathFactory) -> OnnxModel:
    """The model as it would be served, trained with the settings of model.toml but for a third as long."""
    make_deterministic(1)
    folder: Path = tmp_path_factory.mktemp("behaviour")
    raw = {key: str(value) for key, value in spec.training.hyperparameters.items()} | {"epochs": "100"}
    surroundings = Surroundings(folder, "run", lambda: False, lambda _line: None)
    settings = Settings.parse(load_network(spec), raw)
    trained = fit_network(spec, settings, sides["train"], sides["validation"], surroundings)
    export_onnx(trained.network, folder / "model.onnx", sides["test"].features)
    return OnnxModel(folder / "model.onnx")


def changed(spec: ModelSpec, features: Matrix, column: str, by: float) -> Matrix:
    copy = features.copy()
    copy[:, spec.features.index(column)] += by
    return copy


@pytest.mark.parametrize(
    ("column", "by", "direction"),
    [("weight", 500, -1), ("horsepower", 30, -1), ("model_year", 5, 1)],
)
def test_direction(
    spec: ModelSpec, sides: dict[str, Rows], model: OnnxModel, column: str, by: float, direction: int
) -> None:
    """Heavier or stronger cars go less far, later ones farther: on average, and for most of them."""
    features = sides["test"].features
    effect = direction * (model.predict(changed(spec, features, column, by)) - model.predict(features))
    known = ~np.isnan(features[:, spec.features.index(column)])
    assert effect[known].mean() > 0.3
    assert (effect[known] > 0).mean() > 0.75


def test_a_row_is_predicted_alike_alone_and_among_others(sides: dict[str, Rows], model: OnnxModel) -> None:
    features = sides["test"].features
    together = model.predict(features)
    assert np.allclose(together[::-1], model.predict(features[::-1]), rtol=1e-5)
    assert np.allclose(together[:1], model.predict(features[:1]), rtol=1e-5)


def test_a_small_change_has_a_small_effect(spec: ModelSpec, sides: dict[str, Rows], model: OnnxModel) -> None:
    features = sides["test"].features
    effect = model.predict(changed(spec, features, "weight", 10)) - model.predict(features)
    assert np.abs(effect).max() < 0.5, "ten pounds are no tenth of a gallon"


def test_without_horsepower_the_prediction_stays_near(
    spec: ModelSpec, sides: dict[str, Rows], model: OnnxModel
) -> None:
    features = sides["test"].features.copy()
    before = model.predict(features)
    features[:, spec.features.index("horsepower")] = np.nan
    after = model.predict(features)
    assert np.isfinite(after).all()
    assert np.abs(after - before).mean() < 4


def test_the_median_car_of_each_origin_is_plausible(spec: ModelSpec, sides: dict[str, Rows], model: OnnxModel) -> None:
    train = sides["train"]
    origin = train.features[:, spec.features.index("origin")]
    for index in range(3):
        typical = np.nanmedian(train.features[origin == index], axis=0, keepdims=True).astype(np.float32)
        assert abs(model.predict(typical)[0] - np.median(train.target[origin == index])) < 5
