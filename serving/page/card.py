"""The model card: what the artefact itself says of the model. What it does not hold, the card does not claim."""

from collections.abc import Iterable
from html import escape
from typing import Final

from models.schema import Behaviour, Column, Gate
from models.spec import ModelSpec
from monitoring.baseline import AnyDistribution, CategoryDistribution, NumberDistribution, PersonalDistribution
from serving.core.artefact import Artefact
from serving.page.form import measured, words

_METRICS: Final = {
    "mae": "Mean absolute error",
    "rmse": "Root mean square error",
    "mape": "Mean absolute percentage error",
    "r2": "R²",
}
_OF_THE_TARGET: Final = ("mae", "rmse")
"""Metrics in the target's unit."""


def card(artefact: Artefact) -> str:
    """The card as HTML: figures, conditions of a release, inputs."""
    spec = artefact.spec
    return (
        f'<div class="parts"><div>{_figures(artefact)}</div><div>{_conditions(spec)}</div></div>'
        f"<h3>Inputs</h3>{_inputs(artefact)}"
    )


def facts(artefact: Artefact, release: str) -> str:
    """Where the model comes from, as the entries of a description list."""
    manifest = artefact.manifest
    dataset = manifest.dataset
    rows = "" if dataset.rows is None else f" ({dataset.rows:,} rows)"
    found = {
        "Release": release or "not named",
        "Trained": manifest.created_at.replace("T", " ").replace("+00:00", " UTC").replace("Z", " UTC"),
        "Data": f"{dataset.table}, snapshot {dataset.snapshot_id}{rows}" if dataset.table else "",
        "Code": f"commit {manifest.git_commit[:12]}" if manifest.git_commit else "",
        "Manifest": f"sha256 {artefact.manifest_sha256[:16]}…",
    }
    return "".join(f"<dt>{name}</dt><dd>{escape(fact)}</dd>" for name, fact in found.items() if fact)


def _figures(artefact: Artefact) -> str:
    """Training names the figures of the validation rows `validation_<metric>`; others are shown by their own name."""
    rows: list[str] = []
    for key, value in artefact.manifest.metrics.items():
        metric = key.removeprefix("validation_")
        if metric in _METRICS:
            text = _measured(metric, value, artefact.spec.target_column.unit)
            rows.append(f'<tr><th scope="row">{_METRICS[metric]}</th><td>{escape(text)}</td></tr>')
    if not rows:
        return '<h3>Accuracy</h3><p class="hint">The artefact holds no figures.</p>'
    return (
        f"<h3>Accuracy</h3><table><caption>On rows that it did not see in training</caption><tbody>{''.join(rows)}"
        '</tbody></table><p class="hint">The evaluation on test rows, by slice and against the linear baseline, lies '
        "with the model package in the registry.</p>"
    )


def _measured(metric: str, value: float, unit: str) -> str:
    if metric == "mape":
        return f"{100 * value:.3g} %"
    return f"{value:.3g} {unit if metric in _OF_THE_TARGET else ''}".strip()


def _conditions(spec: ModelSpec) -> str:
    """What had to hold for the model to be registered."""
    items = [*(text for gate in spec.gates for text in _gate(gate, spec)), *map(_behaviour, spec.behaviour)]
    listed = "".join(f"<li>{escape(item)}</li>" for item in items)
    return f"<h3>Registered only if</h3><ul>{listed}</ul>"


def _gate(gate: Gate, spec: ModelSpec) -> Iterable[str]:
    name, unit = _METRICS[gate.metric], spec.target_column.unit
    if gate.maximum is not None:
        yield f"{name} at most {_measured(gate.metric, gate.maximum, unit)}"
    if gate.minimum is not None:
        yield f"{name} at least {_measured(gate.metric, gate.minimum, unit)}"
    if gate.better_than_baseline_by is not None:
        yield f"{name} {_better(gate.better_than_baseline_by)} than that of a linear model"
    if gate.better_than_released_by is not None:
        yield f"{name} {_better(gate.better_than_released_by)} than that of the released model"


def _better(share: float) -> str:
    return f"at least {100 * share:g} % better" if share >= 0 else f"at most {-100 * share:g} % worse"


def _behaviour(expectation: Behaviour) -> str:
    return (
        f"Prediction goes {expectation.direction} as {words(expectation.column).lower()} goes up, "
        f"for at least {100 * expectation.share:g} % of rows"
    )


def _inputs(artefact: Artefact) -> str:
    header = "".join(f'<th scope="col">{name}</th>' for name in ("Field", "Takes", "Training data", "Missing there"))
    if artefact.spec.image:
        return f'<p class="hint">{escape(artefact.spec.image.expectation)}</p>'
    rows = "".join(_input(column, artefact.baseline.feature(column.name)) for column in artefact.spec.feature_columns)
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="Inputs of the model"><table class="inputs">'
        f"<thead><tr>{header}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _input(column: Column, distribution: AnyDistribution) -> str:
    missing = "" if isinstance(distribution, PersonalDistribution) else f"{100 * distribution.null_fraction:.3g} %"
    cells = (column.expectation, seen(distribution), missing or "not told")
    return (
        f'<tr><th scope="row">{escape(words(column.name))}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        + "</tr>"
    )


def seen(distribution: AnyDistribution) -> str:
    """The values of the training rows in a few words."""
    if not isinstance(distribution, NumberDistribution | CategoryDistribution):
        return "not told: the field is personal"
    if isinstance(distribution, CategoryDistribution):
        frequent = sorted(distribution.counts.items(), key=lambda entry: -entry[1])[:5]
        return ", ".join(f"{name} {count}" for name, count in frequent)
    unit = f" {distribution.unit}" if distribution.unit else ""
    return f"{measured(distribution.minimum)} to {measured(distribution.maximum)}{unit}, mean {distribution.mean:.4g}"
