"""The model card: what a person should know before using the model, in Markdown beside the plots it shows."""

from collections.abc import Mapping, Sequence
from typing import Any

from training import plots
from training.artefact import Artefact

_METRICS = ("mae", "rmse", "r2", "mape")


def model_card(artefact: Artefact, evaluation: Mapping[str, Any]) -> str:
    """The card of `artefact` with the content of its evaluation.json."""
    spec = artefact.spec
    parts = [
        f"# {spec.title}",
        spec.description,
        _facts(artefact, evaluation),
        "## On the held-out rows",
        _comparison(evaluation),
        _gates(evaluation),
        "## By slice",
        _slices(evaluation["slices"]),
        f"![Predicted against true]({plots.PREDICTED})",
        f"![Residuals]({plots.RESIDUALS})",
        "## How it was trained",
        _training(artefact),
        f"![Learning curve]({plots.LEARNING_CURVE})",
        _formats(artefact),
        "## Inputs",
        _inputs(artefact),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _facts(artefact: Artefact, evaluation: Mapping[str, Any]) -> str:
    dataset, target = artefact.manifest["dataset"], artefact.spec.target_column
    facts = {
        "Predicts": f"{target.name}{f' ({target.unit})' if target.unit else ''}",
        "Verdict": "passed" if evaluation["passed"] else f"**not passed**: {evaluation['reasons']}",
        "Data": f"table {dataset['table']}, snapshot {dataset['snapshot_id']}, {dataset['rows']} rows",
        "Code": artefact.manifest["git_commit"],
        "Image": artefact.manifest["image"],
        "Artefact sha256": f"`{artefact.sha256}`",
        "Manifest sha256": f"`{artefact.manifest_sha256}`",
    }
    return _table(("", ""), list(facts.items()))


def _comparison(evaluation: Mapping[str, Any]) -> str:
    columns = {"this model": evaluation["metrics"], "linear baseline": evaluation["baseline"]}
    if evaluation["released"] is not None:
        columns["released model"] = evaluation["released"]
    rows = [(metric, *(f"{values[metric]:.4g}" for values in columns.values())) for metric in _METRICS]
    return f"{evaluation['rows']} test rows.\n\n" + _table(("metric", *columns), rows)


def _gates(evaluation: Mapping[str, Any]) -> str:
    rows = [
        (
            gate["metric"],
            gate["rule"].replace("_", " "),
            f"{gate['limit']:g}",
            "–" if gate["value"] is None else f"{gate['value']:.4g}",
            "passed" if gate["passed"] else "**failed**",
        )
        for gate in evaluation["gates"]
    ]
    return _table(("gate", "rule", "limit", "found", "verdict"), rows)


def _slices(slices: Sequence[Mapping[str, Any]]) -> str:
    if not slices:
        return "The specification names no slices."
    rows = [
        (part["column"], part["value"], part["rows"], f"{part['metrics']['mae']:.4g}", f"{part['baseline']['mae']:.4g}")
        for part in slices
    ]
    return _table(("column", "value", "rows", "mae", "mae of the baseline"), rows)


def _training(artefact: Artefact) -> str:
    manifest = artefact.manifest
    rows = [*sorted(manifest["hyperparameters"].items()), *sorted(manifest["metrics"].items())]
    shown = [(key, f"{value:.6g}" if isinstance(value, float) else value) for key, value in rows]
    return _table(("setting or figure", "value"), shown)


def _formats(artefact: Artefact) -> str:
    """The table of formats; nothing for an artefact from before there were any."""
    formats: list[dict[str, Any]] = artefact.manifest.get("formats", [])
    if not formats:
        return ""
    served = artefact.spec.formats.served
    rows = [
        (
            f"{each['format']}{', served' if each['format'] == served else ''}",
            f"{each['bytes']:,}",
            _figure(each["value"], ".5g"),
            _figure(each["largest_difference"], ".1e"),
            f"{each['us_per_row_1']:.1f}",
            f"{each['us_per_row_256']:.2f}",
            f"{'kept' if each['kept'] else '**not kept**'}: {each['verdict']}",
        )
        for each in formats
    ]
    metric = f"{formats[0]['metric']} (validation)"
    header = ("format", "bytes", metric, "largest difference", "µs a row, 1", "µs a row, 256", "verdict")
    return f"## Formats\n\nTimes are of the machine that trained.\n\n{_table(header, rows)}"


def _figure(value: float | None, form: str) -> str:
    return "none" if value is None else format(value, form)


def _inputs(artefact: Artefact) -> str:
    rows: list[tuple[object, ...]] = []
    for column in artefact.spec.feature_columns:
        limits = f"{column.minimum:g} to {column.maximum:g}" if None not in (column.minimum, column.maximum) else ""
        values = ", ".join(column.categories) or limits
        rows.append((column.name, column.type, column.unit, values, "yes" if column.nullable else "no"))
    return _table(("name", "type", "unit", "values", "may be empty"), rows)


def _table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
