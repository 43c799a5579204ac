"""How well the network predicts and how long it trains: `python -m benchmarks.training`.

Five seeded 80/20 splits of the cars; on each, the network and the linear baseline see the same training rows and are
measured on the same test rows. The network alone also looks at the validation rows, to know when to stop.
"""

import csv
import io
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.machine import describe
from models.auto_mpg.source import fetch
from models.rows import feature_matrix, split_of
from models.spec import ModelSpec
from training.dataset import Rows
from training.export import export_onnx
from training.fit import Surroundings
from training.linear import LinearModel
from training.metrics import regression_metrics
from training.network import load_network
from training.onnx_model import OnnxModel
from training.specs import spec_named
from training.train import Settings, fit_network, make_deterministic

SEEDS = range(5)
GOAL_MAE, GOAL_GAIN = 1.95, 0.18


@dataclass(frozen=True)
class Result:
    """One split: mean absolute errors in mi/gal, seconds of training, rows."""

    seed: int
    linear: float
    network: float
    seconds: float
    train_rows: int
    test_rows: int


def cars_by_side(spec: ModelSpec, seed: int) -> dict[str, Rows]:
    """The 398 cars with a target, split by `seed`."""
    split = spec.split.model_copy(update={"seed": seed})
    cars = [car for car in csv.DictReader(io.StringIO(fetch().decode())) if car[spec.target]]
    sides: dict[str, list[dict[str, str]]] = {"train": [], "validation": [], "test": []}
    for car in sorted(cars, key=lambda car: [car[key] for key in spec.key]):
        sides[split_of(split, [car[key] for key in spec.key])].append(car)
    return {side: _rows(spec, chosen) for side, chosen in sides.items()}


def _rows(spec: ModelSpec, cars: list[dict[str, str]]) -> Rows:
    columns: dict[str, list[object]] = {
        column.name: [float(car[column.name] or "nan") if column.is_numeric else car[column.name] for car in cars]
        for column in spec.columns
    }
    return Rows(columns, feature_matrix(spec, columns), np.array(columns[spec.target], dtype=np.float64))


def measure(spec: ModelSpec, seed: int) -> Result:
    """Train on one split and judge the exported graph, as a training and an evaluation job do."""
    sides = cars_by_side(spec, seed)
    train, validation, test = sides["train"], sides["validation"], sides["test"]
    raw = {key: str(value) for key, value in spec.training.hyperparameters.items()}
    with tempfile.TemporaryDirectory() as folder:
        surroundings = Surroundings(Path(folder), "benchmark", lambda: False, lambda _line: None)
        started = time.monotonic()
        trained = fit_network(spec, Settings.parse(load_network(spec), raw), train, validation, surroundings)
        seconds = time.monotonic() - started
        path = Path(folder) / "model.onnx"
        export_onnx(trained.network, path, test.features)
        prediction = OnnxModel(path).predict(test.features)
    linear = LinearModel.fit(spec, train.features, train.target).predict(test.features)
    return Result(
        seed=seed,
        linear=regression_metrics(test.target, linear)["mae"],
        network=regression_metrics(test.target, prediction)["mae"],
        seconds=seconds,
        train_rows=len(train),
        test_rows=len(test),
    )


def main() -> None:
    """Print the table of the five splits, and their mean beside the goals."""
    console = Console()
    console.print(describe())
    spec = spec_named("auto-mpg")
    make_deterministic(1)
    table = Table("split", "rows: train, test", "linear mae", "network mae", "below linear", "training, s")
    results = [measure(spec, seed) for seed in SEEDS]
    for result in results:
        rows = f"{result.train_rows}, {result.test_rows}"
        table.add_row(str(result.seed), rows, *_cells(result.linear, result.network, result.seconds))
    linear, network, seconds = (
        float(np.mean(values))
        for values in ([r.linear for r in results], [r.network for r in results], [r.seconds for r in results])
    )
    table.add_section()
    table.add_row("mean", "", *_cells(linear, network, seconds))
    table.add_row("goal", "", "", f"{GOAL_MAE:.2f}", f"{GOAL_GAIN:.1%}", "")
    console.print(table)


def _cells(linear: float, network: float, seconds: float) -> tuple[str, str, str, str]:
    return f"{linear:.3f}", f"{network:.3f}", f"{1 - network / linear:.1%}", f"{seconds:.1f}"


if __name__ == "__main__":
    main()
