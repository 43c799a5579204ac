"""The three pictures of an evaluation, as PNG: predicted against true, residuals, learning curve.

Drawn on bare `Figure` objects: no pyplot, no display, no global state.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from models.spec import ModelSpec

PREDICTED = "predicted_against_true.png"
RESIDUALS = "residuals.png"
LEARNING_CURVE = "learning_curve.png"

Vector = npt.NDArray[np.float64]
_NETWORK, _BASELINE, _RULE = "#1f5fa8", "#c8702a", "#808080"


def predicted_against_true(path: Path, spec: ModelSpec, target: Vector, prediction: Vector, baseline: Vector) -> None:
    """Each test row once for the network and once for the linear baseline; on the diagonal a prediction is right."""
    figure, axes = _figure((5.6, 5.6))
    every = np.concatenate([target, prediction, baseline])
    margin = 0.04 * float(every.max() - every.min() or 1)
    limits = (float(every.min()) - margin, float(every.max()) + margin)
    axes.plot(limits, limits, color=_RULE, linewidth=1)
    axes.scatter(target, baseline, s=18, color=_BASELINE, alpha=0.55, linewidths=0, label="linear baseline")
    axes.scatter(target, prediction, s=18, color=_NETWORK, alpha=0.85, linewidths=0, label="network")
    axes.set(
        xlim=limits, ylim=limits, aspect="equal", xlabel=f"true {_target(spec)}", ylabel=f"predicted {_target(spec)}"
    )
    axes.set_title(f"{spec.title}: {len(target)} test rows")
    axes.legend(frameon=False, loc="upper left")
    _save(figure, path)


def residuals(path: Path, spec: ModelSpec, target: Vector, prediction: Vector) -> None:
    """Error over prediction, and how the errors are distributed."""
    figure = Figure(figsize=(8.4, 4.2), dpi=120, layout="constrained")
    canvas = cast("Any", figure)
    left, right = canvas.subplots(1, 2, sharey=True, width_ratios=(3, 1))
    error = prediction - target
    left.axhline(0, color=_RULE, linewidth=1)
    left.scatter(prediction, error, s=18, color=_NETWORK, alpha=0.85, linewidths=0)
    left.set(xlabel=f"predicted {_target(spec)}", ylabel="predicted minus true")
    left.set_title(f"{spec.title}: residuals of {len(target)} test rows")
    right.hist(error, bins=20, orientation="horizontal", color=_NETWORK)
    right.axhline(0, color=_RULE, linewidth=1)
    right.set(xlabel="rows")
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    _save(figure, path)


def learning_curve(path: Path, spec: ModelSpec, history: Mapping[str, Sequence[float]]) -> None:
    """Training loss and validation error over the epochs."""
    figure, axes = _figure((6.8, 4.2))
    axes.plot(history["epoch"], history["validation_mae"], color=_NETWORK, label="validation error")
    axes.set(xlabel="epoch", ylabel=f"mean absolute error, {_target(spec)}")
    axes.set_ylim(bottom=0)
    loss = axes.twinx()
    loss.plot(history["epoch"], history["training_loss"], color=_BASELINE, label="training loss")
    loss.set_ylabel("training loss (scaled)")
    loss.set_ylim(bottom=0)
    loss.spines["top"].set_visible(False)
    handles = [*axes.get_lines(), *loss.get_lines()]
    axes.legend(handles, [handle.get_label() for handle in handles], frameon=False, loc="upper right")
    axes.set_title(f"{spec.title}: learning curve")
    _save(figure, path)


def _figure(size: tuple[float, float]) -> tuple[Figure, Any]:
    figure = Figure(figsize=size, dpi=120, layout="constrained")
    axes = cast("Any", figure).subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _target(spec: ModelSpec) -> str:
    unit = spec.target_column.unit
    return f"{spec.target} ({unit})" if unit else spec.target


def _save(figure: Figure, path: Path) -> None:
    FigureCanvasAgg(figure)
    cast("Any", figure).savefig(path, metadata={"Software": None})
