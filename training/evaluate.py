"""The evaluation job: one artefact against the linear baseline and the released model, on the same held-out rows.

No torch here: what is judged is the ONNX graph as it will be served. A model that fails its gates is a result, written
like any other; only what keeps the job from judging is an error.
"""

import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.rows import feature_matrix
from models.spec import ModelSpec
from training import plots
from training.artefact import ARCHIVE, Artefact, open_artefact
from training.card import model_card
from training.container import Container
from training.dataset import Rows, read_dataset, read_rows
from training.errors import JobError
from training.gates import GateResult, judge, reasons
from training.linear import LinearModel
from training.metrics import SliceMetrics, regression_metrics, slice_metrics
from training.onnx_model import OnnxModel
from training.specs import spec_named

EVALUATION_FILE = "evaluation.json"
CARD_FILE = "model_card.md"
Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Evaluation:
    """What evaluation.json says."""

    model: str
    snapshot_id: str
    rows: int
    metrics: dict[str, float]
    baseline: dict[str, float]
    released: dict[str, float] | None
    gates: list[GateResult]
    passed: bool
    reasons: str
    slices: list[SliceMetrics]
    artefact_sha256: str
    manifest_sha256: str
    git_commit: str


@dataclass(frozen=True)
class Predictions:
    """What three models say of the same test rows, each [N] in the target's unit."""

    network: Vector
    linear: Vector
    released: Vector | None


def evaluate(container: Container) -> None:
    """The job from start to end; JobError for what the user can put right."""
    spec, snapshot = spec_named(container.model_name), container.snapshot_id
    channel = container.processing_input("dataset")
    read_dataset(channel, spec, snapshot)
    training, test = read_rows(channel, "train", spec), read_rows(channel, "test", spec)
    with tempfile.TemporaryDirectory() as scratch:
        artefact = open_artefact(container.processing_input("model") / ARCHIVE, Path(scratch) / "model")
        _require_same(artefact, spec, snapshot)
        folder = container.optional_processing_input("released")
        predictions = Predictions(
            network=OnnxModel(artefact.model_path).predict(test.features),
            linear=LinearModel.fit(spec, training.features, training.target).predict(test.features),
            released=None if folder is None else _released_prediction(folder, Path(scratch) / "released", test),
        )
        result = _judge(artefact, test, predictions, container.git_commit)
        _write(container.processing_output, artefact, result, test, predictions)
    verdict = "passed" if result.passed else "not passed"
    print(f"mae={result.metrics['mae']:.6g} baseline_mae={result.baseline['mae']:.6g} {verdict}: {result.reasons}")


def _require_same(artefact: Artefact, spec: ModelSpec, snapshot: str) -> None:
    """JobError when the artefact is of another model or snapshot than the job."""
    if artefact.spec.name != spec.name:
        raise JobError(f"{ARCHIVE}: holds the model {artefact.spec.name!r}, the job evaluates {spec.name!r}")
    trained_on = artefact.manifest["dataset"]["snapshot_id"]
    if trained_on != snapshot:
        raise JobError(f"{ARCHIVE}: was trained on snapshot {trained_on}, the job evaluates snapshot {snapshot}")


def _released_prediction(folder: Path, scratch: Path, test: Rows) -> Vector | None:
    """The released model's predictions; None where it needs columns that these rows no longer have."""
    artefact = open_artefact(folder / ARCHIVE, scratch)
    try:
        features = feature_matrix(artefact.spec, test.columns)
    except (KeyError, ValueError) as error:
        print(f"the released model cannot be compared on these rows: {error}")
        return None
    return OnnxModel(artefact.model_path).predict(features)


def _judge(artefact: Artefact, test: Rows, predictions: Predictions, commit: str) -> Evaluation:
    spec, target = artefact.spec, test.target
    wrong = int((~np.isfinite(predictions.network)).sum())
    if wrong:
        raise JobError(f"the model gives no finite number for {wrong} of {len(test)} test rows")
    metrics, baseline = regression_metrics(target, predictions.network), regression_metrics(target, predictions.linear)
    released = None if predictions.released is None else regression_metrics(target, predictions.released)
    gates = judge(spec.gates, metrics, baseline, released)
    return Evaluation(
        model=spec.name,
        snapshot_id=artefact.manifest["dataset"]["snapshot_id"],
        rows=len(test),
        metrics=metrics,
        baseline=baseline,
        released=released,
        gates=gates,
        passed=all(gate.passed for gate in gates),
        reasons=reasons(gates),
        slices=slice_metrics(spec, test.columns, target, predictions.network, predictions.linear),
        artefact_sha256=artefact.sha256,
        manifest_sha256=artefact.manifest_sha256,
        git_commit=commit,
    )


def _write(folder: Path, artefact: Artefact, result: Evaluation, test: Rows, predictions: Predictions) -> None:
    spec, network = artefact.spec, predictions.network
    plots.predicted_against_true(folder / plots.PREDICTED, spec, test.target, network, predictions.linear)
    plots.residuals(folder / plots.RESIDUALS, spec, test.target, network)
    plots.learning_curve(folder / plots.LEARNING_CURVE, spec, artefact.history)
    (folder / CARD_FILE).write_text(model_card(artefact, asdict(result)), encoding="utf-8")
    text = json.dumps(asdict(result), indent=2, sort_keys=True, allow_nan=False)
    (folder / EVALUATION_FILE).write_text(text + "\n", encoding="utf-8")
