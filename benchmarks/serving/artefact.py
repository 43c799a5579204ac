"""The one artefact that everybody serves: the fuel-economy model as one perceptron of two hidden layers (64, 64).

Trained and exported by the training package on the real cars, once; the released model is an ensemble of sixteen such
networks, which would measure ONNX Runtime and not the servers.
"""

import csv
import functools
import hashlib
import io
import json
import shutil
import tempfile
from pathlib import Path
from typing import Final

from benchmarks.serving.places import KEPT, ROOT
from models.auto_mpg.source import fetch
from models.spec import ModelSpec

HYPERPARAMETERS: Final = {"members": 1, "width": 64, "depth": 2}


def base_folder() -> Path:
    """A folder as /opt/ml, with the artefact under `model/`; made again when what trains and exports it changes."""
    base = KEPT / f"artefact-{_made_by()}"
    if not (base / "model" / "manifest.json").is_file():
        _train(base)
    return base


@functools.cache
def _made_by() -> str:
    """A digest of the sources that an artefact comes from."""
    sources = [path for package in ("training", "models", "monitoring") for path in (ROOT / package).rglob("*.py")]
    sources.append(ROOT / "models" / "auto_mpg" / "model.toml")
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(sources))).hexdigest()[:12]


def car_rows(spec: ModelSpec, count: int) -> list[dict[str, object]]:
    """`count` of the 400 cars with all features, from the first again when they are too few.

    A missing one would be null in JSON, but has no spelling in the JSON of the V2 protocol, which some peers take.
    """
    cars = [_car(spec, line) for line in csv.DictReader(io.StringIO(fetch().decode())) if line["horsepower"]]
    return [cars[number % len(cars)] for number in range(count)]


def _car(spec: ModelSpec, line: dict[str, str]) -> dict[str, object]:
    row: dict[str, object] = {}
    for column in spec.feature_columns:
        text = line[column.name]
        number = float(text) if column.is_numeric and text else None
        row[column.name] = text if column.type == "category" else number
        if column.type == "integer" and number is not None:
            row[column.name] = int(number)
    return row


def _train(base: Path) -> None:
    # torch takes seconds to import, and is needed this one time.
    from benchmarks.training import cars_by_side  # noqa: PLC0415
    from training.dataset import Dataset  # noqa: PLC0415
    from training.export import Lineage, write_artefact  # noqa: PLC0415
    from training.fit import Surroundings  # noqa: PLC0415
    from training.network import load_network  # noqa: PLC0415
    from training.specs import spec_named  # noqa: PLC0415
    from training.train import Settings, fit_network, make_deterministic  # noqa: PLC0415

    spec = spec_named("auto-mpg")
    make_deterministic(1)
    sides = cars_by_side(spec, 0)
    raw = {key: str(value) for key, value in (spec.training.hyperparameters | HYPERPARAMETERS).items()}
    settings = Settings.parse(load_network(spec), raw)
    with tempfile.TemporaryDirectory() as scratch:
        surroundings = Surroundings(Path(scratch), "benchmark", lambda: False, lambda _line: None)
        trained = fit_network(spec, settings, sides["train"], sides["validation"], surroundings)
    folder = base / "unfinished"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    dataset = Dataset(spec.name, spec.table, "0", sum(map(len, sides.values())), spec.digest)
    write_artefact(
        folder,
        spec,
        trained.network,
        training=sides["train"],
        validation=sides["validation"],
        test=sides["test"],
        history=json.dumps({}),
        lineage=Lineage(dataset, "", "", settings.loop.seed, settings.flat(), trained.validation),
    )
    folder.rename(base / "model")
