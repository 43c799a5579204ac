"""Metrics of a regression, and the same on slices of the rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.spec import ModelSpec

HIGHER_IS_BETTER = frozenset({"r2"})
Vector = npt.NDArray[np.float64]


def regression_metrics(target: Vector, prediction: Vector) -> dict[str, float]:
    """`mae`, `rmse` (in the target's unit), `r2` and `mape` (a fraction, over rows whose target is not zero).

    r2 is 0 where the target does not vary, as there is nothing to explain; mape is 0 where every target is zero.
    """
    error = prediction - target
    spread = float(((target - target.mean()) ** 2).sum())
    known = target != 0
    return {
        "mae": float(np.abs(error).mean()),
        "rmse": float(np.sqrt((error**2).mean())),
        "r2": 1 - float((error**2).sum()) / spread if spread > 0 else 0.0,
        "mape": float(np.abs(error[known] / target[known]).mean()) if known.any() else 0.0,
    }


def improvement(metric: str, value: float, reference: float) -> float:
    """How much better `value` is than `reference`, as a fraction of the reference; negative where it is worse.

    Against a reference of zero there is no fraction: 0 when equal, else 1 or -1.
    """
    gain = value - reference if metric in HIGHER_IS_BETTER else reference - value
    if reference == 0:
        return float(np.sign(gain))
    return gain / abs(reference)


@dataclass(frozen=True)
class SliceMetrics:
    """The metrics of the rows whose `column` is (or lies in) `value`."""

    column: str
    value: str
    rows: int
    metrics: dict[str, float]
    baseline: dict[str, float]


def slice_metrics(
    spec: ModelSpec, columns: Mapping[str, Sequence[object]], target: Vector, prediction: Vector, baseline: Vector
) -> list[SliceMetrics]:
    """Metrics on every slice that the specification asks for and that has rows, next to the baseline's."""
    found: list[SliceMetrics] = []
    for part in spec.slices:
        labels = np.array([_label(value, part.width) for value in columns[part.column]], dtype=object)
        for label in sorted(set(labels.tolist())):
            chosen = labels == label
            found.append(
                SliceMetrics(
                    column=part.column,
                    value=label,
                    rows=int(chosen.sum()),
                    metrics=regression_metrics(target[chosen], prediction[chosen]),
                    baseline=regression_metrics(target[chosen], baseline[chosen]),
                )
            )
    return found


def _label(value: object, width: float | None) -> str:
    if value is None:
        return "(missing)"
    if width is None or not isinstance(value, int | float):
        return str(value)
    start = np.floor(value / width) * width
    return f"{start:g} to {start + width:g}"
