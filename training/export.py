"""From a trained network to the files of the artefact: the ONNX graph, the training distribution, spec and manifest.

The TorchScript-based exporter is used: for these graphs it needs 0.3 s where the torch.export-based one needs 6 s, most
of it imports. Every row of the dataset is then run through both, so whichever exporter it is, its result is checked.
"""

import platform
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from models.spec import ModelSpec
from monitoring.baseline import BASELINE_FILE, describe
from training.artefact import HISTORY_FILE, MODEL_FILE, SPEC_JSON, write_manifest
from training.dataset import Dataset, Rows
from training.formats import described, write_formats
from training.network import Network
from training.onnx_model import OnnxModel

OPSET = 20
TOLERANCE = 1e-5
"""Largest relative difference between ONNX Runtime and torch on any row."""
_LIBRARIES = ("torch", "numpy", "onnxruntime", "pyarrow", "pydantic", "safetensors")


class ExportError(Exception):
    """The exported graph does not compute what the network computes."""


@dataclass(frozen=True)
class Lineage:
    """What the manifest says of where a model comes from."""

    dataset: Dataset
    git_commit: str
    image: str
    seed: int
    hyperparameters: Mapping[str, str | int | float | bool]
    metrics: Mapping[str, float]


def export_onnx(network: Network, path: Path, checked: npt.NDArray[np.float32]) -> None:
    """Write the graph: `features` float32 [N, F] → `prediction` float32 [N], N free.

    Every row of `checked` [N, F] must come out equal to torch to within TOLERANCE, the first ones also one at a time;
    ExportError names the worst that does not.
    """
    network = network.cpu().eval()
    with warnings.catch_warnings():
        # torch announces that it will go, and its own parts warn of one another.
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        torch.onnx.export(  # pyright: ignore[reportUnknownMemberType]
            network,
            (torch.tensor(checked[:2]),),
            path,
            dynamo=False,
            opset_version=OPSET,
            input_names=["features"],
            output_names=["prediction"],
            dynamic_axes={"features": {0: "rows"}, "prediction": {0: "rows"}},
        )
    with torch.no_grad():
        expected = network(torch.tensor(checked)).numpy()
    exported = OnnxModel(path)
    _compare(expected, exported.predict(checked))
    one_by_one = [exported.predict(checked[row : row + 1]) for row in range(min(len(checked), 8))]
    _compare(expected[: len(one_by_one)], np.concatenate(one_by_one))


def _compare(expected: npt.NDArray[np.float32], found: npt.NDArray[np.float64]) -> None:
    difference = np.abs(found - expected) / np.maximum(np.abs(expected), 1e-6)
    worst = int(np.argmax(difference))
    if not difference[worst] <= TOLERANCE:
        raise ExportError(
            f"row {worst}: ONNX says {found[worst]!r}, torch {expected[worst]!r}: "
            f"relative difference {difference[worst]:.2g}, at most {TOLERANCE:g} is allowed"
        )


def write_artefact(
    folder: Path,
    spec: ModelSpec,
    network: Network,
    *,
    training: Rows,
    validation: Rows,
    test: Rows,
    history: str,
    lineage: Lineage,
) -> None:
    """Fill `folder` with the files of the artefact; `history` is the learning curve as JSON."""
    every = np.concatenate([training.features, validation.features, test.features])
    # A row with every value missing must survive the graph, too.
    every = np.concatenate([every, np.full((1, every.shape[1]), np.nan, dtype=np.float32)])
    export_onnx(network, folder / MODEL_FILE, every)
    with torch.no_grad():
        prediction = network(torch.tensor(training.features)).numpy()
    (folder / SPEC_JSON).write_text(spec.to_json(), encoding="utf-8")
    (folder / HISTORY_FILE).write_text(history + "\n", encoding="utf-8")
    describe(spec, training.columns, training.features, training.target, prediction).save(folder / BASELINE_FILE)
    dataset = lineage.dataset
    content = {
        "model": spec.name,
        "dataset": {"table": dataset.table, "snapshot_id": dataset.snapshot_id, "rows": dataset.rows},
        "git_commit": lineage.git_commit,
        "image": lineage.image,
        "seed": lineage.seed,
        "hyperparameters": dict(lineage.hyperparameters),
        "metrics": dict(lineage.metrics),
        "formats": described(write_formats(folder, spec, validation)),
        "libraries": {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}},
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    write_manifest(folder, content)
