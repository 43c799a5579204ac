"""The page at `/`: a form made from the specification, and the training distribution that a prediction lies in.

Nothing comes from another host and no script is inline, so a strict Content-Security-Policy holds. The page is
rendered once for a model; the script asks `/invocations` as any other caller would.
"""

import functools
import json
from collections.abc import Mapping
from html import escape
from pathlib import Path
from string import Template
from typing import Final

from monitoring.baseline import NumberDistribution, Value
from serving.core.artefact import Artefact
from serving.core.service import Service
from serving.page.form import field, words
from serving.page.histogram import histogram

HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}
STATIC: Final = {
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
_FOLDER = Path(__file__).parent / "static"


@functools.cache
def static(name: str) -> tuple[str, bytes]:
    """Media type and content of a file in `STATIC`; KeyError for any other."""
    return STATIC[name], (_FOLDER / name).read_bytes()


@functools.lru_cache(maxsize=4)
def render(service: Service) -> bytes:
    """The page of the model that `service` answers with, as UTF-8 HTML."""
    artefact, spec = service.artefact, service.spec
    sample = artefact.baseline.sample
    example: Mapping[str, Value] = sample[len(sample) // 2] if sample else {}
    target = artefact.baseline.target
    unit = spec.target_column.unit
    label = (
        f"Histogram of {words(spec.target)} over {target.rows} training rows, "
        f"from {target.minimum:g} to {target.maximum:g} {unit}"
    )
    text = Template((_FOLDER / "page.html").read_text(encoding="utf-8")).substitute(
        title=escape(spec.title),
        description=escape(spec.description),
        model=escape(spec.name),
        release=escape(short_release(service.release)),
        fields="\n".join(
            field(column, artefact.baseline.feature(column.name), example.get(column.name))
            for column in spec.feature_columns
        ),
        examples=_examples(sample, spec.target, unit),
        target=escape(words(spec.target_column.description or spec.target)),
        unit=escape(unit),
        rows=target.rows,
        minimum=f"{target.minimum:g}",
        maximum=f"{target.maximum:g}",
        histogram=histogram(target, label),
        data=_data(target, spec.features),
        facts=_facts(artefact, service.release),
        metrics=_metrics(artefact.manifest.metrics, unit),
        curl=escape(_curl({name: example.get(name) for name in spec.features})),
    )
    return text.encode()


def short_release(release: str) -> str:
    """`…:model-package/drivetrain-local-auto-mpg/3` as "drivetrain-local-auto-mpg/3"; other names as they are."""
    return release.split(":model-package/", 1)[-1] or "no release named"


def _examples(sample: tuple[dict[str, Value], ...], target: str, unit: str) -> str:
    buttons: list[str] = []
    for number, row in enumerate(sample, start=1):
        label = f"{row.get(target, number)} {unit}".strip()
        buttons.append(
            f'<button type="button" class="example" data-row="{escape(json.dumps(row))}" '
            f'data-actual="{escape(str(row.get(target, "")))}">{escape(label)}</button>'
        )
    return "".join(buttons)


def _data(target: NumberDistribution, features: tuple[str, ...]) -> str:
    """What the script needs to place a prediction, as an attribute's value."""
    document = {
        "features": features,
        "edges": target.quantiles.edges,
        "counts": target.quantiles.counts,
        "minimum": target.histogram.edges[0],
        "maximum": target.histogram.edges[-1],
        "rows": target.rows,
    }
    return escape(json.dumps(document))


def _facts(artefact: Artefact, release: str) -> str:
    manifest = artefact.manifest
    dataset = manifest.dataset
    rows = "" if dataset.rows is None else f" ({dataset.rows:,} rows)"
    facts = {
        "Release": release or "not named",
        "Data": f"{dataset.table}, snapshot {dataset.snapshot_id}{rows}" if dataset.table else "",
        "Code": f"commit {manifest.git_commit[:12]}" if manifest.git_commit else "",
        "Trained": manifest.created_at,
        "Manifest": f"sha256 {artefact.manifest_sha256[:16]}…",
    }
    return "".join(f"<dt>{name}</dt><dd>{escape(fact)}</dd>" for name, fact in facts.items() if fact)


def _metrics(metrics: Mapping[str, float], unit: str) -> str:
    """Table rows of the known metrics; training names those of the validation rows `validation_<metric>`."""
    names = {
        "mae": ("Mean absolute error", unit),
        "rmse": ("Root mean square error", unit),
        "mape": ("Mean absolute percentage error", "%"),
        "r2": ("R²", ""),
    }
    rows: list[str] = []
    for key, value in metrics.items():
        metric = key.removeprefix("validation_")
        if metric in names:
            name, of = names[metric]
            text = f"{100 * value if metric == 'mape' else value:.3g} {of}".strip()
            rows.append(f'<tr><th scope="row">{escape(name)}</th><td>{escape(text)}</td></tr>')
    return "".join(rows)


def _curl(row: Mapping[str, Value]) -> str:
    body = json.dumps(row, ensure_ascii=False).replace("'", "'\\''")
    return f"curl -H 'Content-Type: application/json' \\\n  -d '{body}' \\\n  http://localhost:8080/invocations"
