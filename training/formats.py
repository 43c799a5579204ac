"""The artefact's other formats: the same graph, smaller, kept only where the predictions stay within the gates.

Each format is judged on the validation rows by the metric of the first gate, beside the float32 graph: it may be worse
by at most `formats.tolerance` and must not break an absolute limit that float32 keeps. It is kept if it is also of use:
a tenth smaller or a tenth faster. One that predicts no finite number is refused without a metric. Everything measured
goes into the manifest and the model card, what is not kept too. The rows may be images [N, C, H, W]; of a model of
labels, whose graph answers [N, labels], the metric is of the place of the likeliest label, as its target is.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.schema import Format, graph_file
from models.spec import ModelSpec
from training.dataset import Rows
from training.errors import JobError
from training.gates import judge
from training.metrics import improvement, regression_metrics
from training.onnx_model import OnnxModel
from training.onnx_weights import half_weights, int8_weights

CONVERSIONS: dict[Format, Callable[[bytes], bytes]] = {"int8": int8_weights, "fp16": half_weights}
_OF_USE = 0.9
"""A format is of use at this part of the float32 graph's size or time."""
_BATCH = 256
_RUNS = 60

Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One format as it was found: sizes in bytes, times in microseconds per row (median) at 1 and 256 rows a run."""

    format: Format
    file: str
    bytes: int
    metric: str
    value: float | None
    """The metric on the validation rows; None where a prediction is not finite."""
    largest_difference: float | None
    """From the float32 graph's predictions, relative, on any validation row; None as above."""
    us_per_row_1: float
    us_per_row_256: float
    kept: bool
    verdict: str


def write_formats(folder: Path, spec: ModelSpec, validation: Rows) -> list[Measured]:
    """Write the formats that `spec` asks for and that are worth keeping beside `model.onnx` in `folder`.

    Returns all that was measured, float32 first. JobError when the format that is to be served was not kept, and when
    the float32 graph itself predicts what is no finite number.
    """
    path = folder / graph_file("fp32")
    graph = path.read_bytes()
    first = _measure("fp32", path, spec, validation, None)
    if first.value is None:
        raise JobError(f"the trained model is of no use: {first.verdict}")
    found = [first]
    for name in spec.formats.tried:
        target = folder / graph_file(name)
        target.write_bytes(CONVERSIONS[name](graph))
        measured = _measure(name, target, spec, validation, first)
        if not measured.kept:
            target.unlink()
        found.append(measured)
    served = next((each for each in found if each.format == spec.formats.served), None)
    if served is None or not served.kept:
        why = served.verdict if served else "not among formats.tried"
        raise JobError(f"formats.served is {spec.formats.served!r}, which was not kept: {why}")
    return found


def described(measured: list[Measured]) -> list[dict[str, Any]]:
    """What the manifest says of the formats."""
    return [asdict(each) for each in measured]


def _measure(name: Format, path: Path, spec: ModelSpec, rows: Rows, first: Measured | None) -> Measured:
    model, metric = OnnxModel(path), spec.gates[0].metric
    prediction = model.predict(rows.features)
    wrong = int((~np.isfinite(prediction.reshape(len(prediction), -1))).any(axis=1).sum())
    value = None if wrong else regression_metrics(rows.target, _in_target_terms(prediction))[metric]
    one, many = (
        _microseconds(model, np.resize(rows.features, (count, *rows.features.shape[1:]))) for count in (1, _BATCH)
    )
    difference = None if wrong else 0.0
    if first is not None and not wrong:
        expected = OnnxModel(path.parent / first.file).predict(rows.features)
        difference = float((np.abs(prediction - expected) / np.maximum(np.abs(expected), 1e-6)).max())
    refused = f"{wrong} of {len(prediction)} validation rows are predicted as no finite number"
    found = Measured(
        format=name,
        file=path.name,
        bytes=path.stat().st_size,
        metric=metric,
        value=value,
        largest_difference=difference,
        us_per_row_1=one,
        us_per_row_256=many,
        kept=not wrong,
        verdict=refused if wrong else "the model as it was trained",
    )
    return found if first is None else _judged(found, first, spec)


def _in_target_terms(prediction: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """[N] as the target is: numbers as they are, of labels [N, labels] the place of the likeliest."""
    return prediction if prediction.ndim == 1 else prediction.argmax(axis=1).astype(np.float64)


def _judged(found: Measured, first: Measured, spec: ModelSpec) -> Measured:
    if found.value is None or first.value is None:
        return replace(found, kept=False)  # without a metric there is nothing to judge; the verdict says so already
    worse = -improvement(found.metric, found.value, first.value)
    if worse > spec.formats.tolerance:
        verdict = f"{found.metric} is {worse:.2%} worse than with float32; at most {spec.formats.tolerance:.2%} may be"
    elif broken := _broken(spec, found.metric, found.value, first.value):
        verdict = f"it breaks {broken}, which float32 keeps"
    elif not _is_of_use(found, first):
        verdict = "neither a tenth smaller nor a tenth faster than float32"
    else:
        return replace(found, kept=True, verdict=_gain(found, first))
    return replace(found, kept=False, verdict=verdict)


def _broken(spec: ModelSpec, metric: str, value: float, float32: float) -> str:
    """The first absolute limit of a gate on this metric that float32 keeps and the format does not."""
    gates = [gate for gate in spec.gates if gate.metric == metric]
    ours, theirs = (judge(gates, {metric: each}, {metric: each}, None) for each in (value, float32))
    for mine, its in zip(ours, theirs, strict=True):
        if mine.rule in ("maximum", "minimum") and its.passed and not mine.passed:
            return f"the gate {mine.metric} {mine.rule} {mine.limit:g} with {value:.4g}"
    return ""


def _is_of_use(found: Measured, first: Measured) -> bool:
    pairs = (
        (found.bytes, first.bytes),
        (found.us_per_row_1, first.us_per_row_1),
        (found.us_per_row_256, first.us_per_row_256),
    )
    return any(mine <= _OF_USE * its for mine, its in pairs)


def _gain(found: Measured, first: Measured) -> str:
    """What the format gives, in words; times within a tenth of each other count as the same."""
    speed = first.us_per_row_256 / found.us_per_row_256
    pace = "as fast" if _OF_USE <= speed <= 1 / _OF_USE else f"{speed:.2f} × the speed"
    return f"{first.bytes / found.bytes:.1f} × smaller, {pace} at {_BATCH} rows"


def _microseconds(model: OnnxModel, rows: Matrix) -> float:
    """Median microseconds per row of one run."""
    seconds: list[float] = []
    for _ in range(_RUNS):
        begun = time.perf_counter()
        model.predict(rows)
        seconds.append(time.perf_counter() - begun)
    return float(np.median(seconds)) * 1e6 / len(rows)
