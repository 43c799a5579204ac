"""The page at `/`: a form made from the specification, and what the model makes of its values.

Nothing comes from another host and no script is inline, so a strict Content-Security-Policy holds. The page is
rendered once for a model; the script asks `/invocations` as any other caller would.
"""

import json
from collections.abc import Mapping
from html import escape
from typing import Any, Final

from models.schema import Column
from models.spec import ModelSpec
from monitoring.baseline import AnyDistribution, Baseline, NumberDistribution, Value
from serving.core.service import Service
from serving.page import assets, card
from serving.page.exploration import explored
from serving.page.form import field, measured, words
from serving.page.histogram import histogram

_ADDRESS: Final = "http://localhost:8080/invocations"
_SHORT_UNIT: Final = 8
"""Units of up to as many letters are repeated on every button."""


def render(service: Service) -> bytes:
    """The page of the model that `service` answers with, as UTF-8 HTML."""
    artefact, spec = service.artefact, service.spec
    parts = _image_parts(spec, spec.image) if spec.image else _table_parts(service)
    script = "image.js" if spec.image else "page.js"
    return assets.fill(
        "page.html",
        title=escape(spec.title),
        description=escape(spec.description),
        model=escape(spec.name),
        release=escape(short_release(service.release)),
        icon=assets.address("icon.svg"),
        style=assets.address("page.css"),
        script=assets.address(script),
        preloads="\n".join(
            f'<link rel="modulepreload" href="{assets.address(name)}">' for name in assets.imports(script)
        ),
        target=escape(_sentence(spec.target_column.description or words(spec.target))),
        data=escape(json.dumps(_data(service), ensure_ascii=False)),
        release_facts=card.facts(artefact, service.release),
        card=card.card(artefact),
        **parts,
    ).encode()


def _table_parts(service: Service) -> dict[str, str]:
    """What a model of a table's columns has on its page."""
    baseline, spec = service.artefact.baseline, service.spec
    example = _example(baseline)
    fields = "\n".join(
        field(column, baseline.feature(column.name), example.get(column.name)) for column in spec.feature_columns
    )
    samples = _samples(baseline.sample, spec.target, spec.target_column.unit)
    return {
        "form": assets.fill("form.html", fields=fields, samples=samples),
        "result": _result(baseline.target, spec.target_column),
        "influence": assets.fill("influence.html"),
        "whatif": assets.fill("what-if.html", options=_options(spec.feature_columns)),
        "curl": escape(_curl({name: example.get(name) for name in spec.features})),
    }


def _image_parts(spec: ModelSpec, image: Column) -> dict[str, str]:
    """What a model of images has on its page."""
    channels, height, width = image.shape
    kind = "grey" if channels == 1 else "colour"
    takes = f"PNG or JPEG of any size; the model sees it in {width} × {height} pixels, {kind}."
    return {
        "form": assets.fill("image-form.html", takes=takes),
        "result": assets.fill("image-result.html", unit=escape(spec.target_column.unit)),
        "influence": "",
        "whatif": "",
        "curl": escape(f"curl -H 'Content-Type: image/png' \\\n  --data-binary @picture.png \\\n  {_ADDRESS}"),
    }


def short_release(release: str) -> str:
    """`…:model-package/drivetrain-local-auto-mpg/3` as "drivetrain-local-auto-mpg/3"; other names as they are."""
    return release.split(":model-package/", 1)[-1] or "no release named"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _example(baseline: Baseline) -> Mapping[str, Value]:
    """The row that the form begins with: the one in the middle of the sample."""
    sample = baseline.sample
    return sample[len(sample) // 2] if sample else {}


def _samples(sample: tuple[dict[str, Value], ...], target: str, unit: str) -> str:
    """A button for each sample row, named by what was recorded for it."""
    if not sample:
        return ""
    buttons: list[str] = []
    for number, row in enumerate(sample, start=1):
        value = row.get(target, number)
        label = measured(value) if isinstance(value, float) else str(value)
        label += f" {unit}" if unit and len(unit) <= _SHORT_UNIT else ""
        buttons.append(
            f'<button type="button" class="example" data-row="{escape(json.dumps(row))}" '
            f'data-actual="{escape(str(row.get(target, "")))}">{escape(label)}</button>'
        )
    return (
        '    <div class="examples" role="group" aria-label="Fill in a row of the training data, by its recorded value">'
        f'<span aria-hidden="true">Begin with a sample row</span>{"".join(buttons)}</div>'
    )


def _result(distribution: AnyDistribution, column: Column) -> str:
    if not isinstance(distribution, NumberDistribution):
        return assets.fill("personal-result.html", unit=escape(column.unit))
    ends = f"from {measured(distribution.minimum)} to {measured(distribution.maximum)} {column.unit}".strip()
    label = f"Histogram of {words(column.name)} over {distribution.rows} training rows, {ends}"
    return assets.fill(
        "result.html",
        unit=escape(column.unit),
        rows=distribution.rows,
        minimum=f"{distribution.minimum:.4g}",
        maximum=f"{distribution.maximum:.4g}",
        histogram=histogram(distribution, label),
    )


def _options(columns: tuple[Column, ...]) -> str:
    return "".join(f'<option value="{column.name}">{escape(words(column.name))}</option>' for column in columns)


def _data(service: Service) -> dict[str, Any]:
    """What the script needs of the model."""
    spec, baseline = service.spec, service.artefact.baseline
    features = () if spec.image else spec.feature_columns
    return {
        "features": [
            {
                "name": column.name,
                "label": words(column.name),
                "unit": column.unit,
                **explored(column, baseline.feature(column.name)),
            }
            for column in features
        ],
        "target": {
            "label": _sentence(spec.target_column.description or words(spec.target)),
            "unit": spec.target_column.unit,
            **_placed(baseline.target),
        },
        "maxRows": spec.serving.max_rows,
        "maxBytes": spec.serving.max_body_bytes,
        "manifest": service.artefact.manifest_sha256,
        "release": service.release,
    }


def _placed(target: AnyDistribution) -> dict[str, Any]:
    """What places a prediction among the training rows; nothing does where the target is personal."""
    if not isinstance(target, NumberDistribution):
        return {"edges": [], "counts": [], "minimum": None, "maximum": None, "rows": 0}
    ends = target.histogram.edges
    bins = target.quantiles
    return {
        "edges": bins.edges,
        "counts": bins.counts,
        "minimum": ends[0],
        "maximum": ends[-1],
        "rows": target.rows,
    }


def _curl(row: Mapping[str, Value]) -> str:
    """The request before any script ran; the script puts the address that the page came from in it."""
    body = json.dumps(row, ensure_ascii=False, indent=2).replace("'", "'\\''")
    return f"curl -H 'Content-Type: application/json' \\\n  -d '{body}' \\\n  {_ADDRESS}"
