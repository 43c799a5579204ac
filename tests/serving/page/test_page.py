import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from models.spec import ModelSpec
from monitoring.baseline import describe_numbers
from serving.core.service import Service, load_service
from serving.page import assets, openapi, page
from serving.page.form import words
from serving.page.histogram import histogram, position


class Elements(HTMLParser):
    """Every start tag with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.fixture(scope="module")
def html(service: Service) -> str:
    return page.render(service).decode()


def test_every_feature_has_a_labelled_control(html: str, service: Service) -> None:
    elements = Elements(html).found
    labelled = {attributes.get("for") for tag, attributes in elements if tag == "label"}
    for column in service.spec.feature_columns:
        controls = [attributes for _, attributes in elements if attributes.get("name") == column.name]
        if column.type == "category":
            assert [control["value"] for control in controls] == list(column.categories)
            assert sum("checked" in control for control in controls) == 1
            continue
        (control,) = controls
        assert control["id"] in labelled
        assert (float(control["min"] or ""), float(control["max"] or "")) == (column.minimum, column.maximum)
        assert ("required" in control) != column.nullable
        assert float(control["value"] or "") > 0


def test_nothing_comes_from_elsewhere_and_nothing_is_inline(html: str) -> None:
    for tag, attributes in Elements(html).found:
        assert not {name for name in attributes if name == "style" or name.startswith("on")}
        assert not re.match(r"(https?:)?//", attributes.get("src") or attributes.get("href") or "")
        assert tag != "script" or attributes.get("src")
    assert "<style" not in html


def test_the_release_and_the_models_provenance_are_shown(html: str) -> None:
    for text in ("drivetrain-local-auto-mpg/3", "snapshot 4242424242424242424", "commit 0123456789ab", "2.71", "curl"):
        assert text in html


def test_what_the_script_needs_is_in_the_page(html: str, service: Service) -> None:
    (document,) = [
        json.loads(attributes["data-model"] or "") for tag, attributes in Elements(html).found if tag == "body"
    ]
    assert [feature["name"] for feature in document["features"]] == list(service.spec.features)
    assert document["features"][3]["trained"] == [1612, 4984]
    assert document["target"]["rows"] == sum(document["target"]["counts"]) == 120
    assert document["maxRows"] == 1000
    assert document["manifest"] == service.artefact.manifest_sha256


def test_every_element_that_a_script_looks_for_is_there(html: str) -> None:
    ids = [attributes["id"] for _, attributes in Elements(html).found if "id" in attributes]
    assert len(ids) == len(set(ids))
    for name in assets.SCRIPTS:
        if name != "image.js":
            wanted = set(re.findall(r'byId\("([^"]+)"\)', assets.content(name).decode()))
            assert wanted <= set(ids), name


def test_a_model_without_sample_rows_begins_with_empty_fields(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    baseline = service.artefact.baseline.model_copy(update={"sample": ()})
    monkeypatch.setattr(service, "artefact", service.artefact.model_copy(update={"baseline": baseline}))
    html = page.render(service).decode()
    assert "sample row" not in html
    assert {attributes["value"] for _, attributes in Elements(html).found if attributes.get("type") == "number"} == {""}


def test_what_a_model_calls_itself_is_escaped(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = service.spec.model_copy(update={"title": "<script>alert(1)</script>", "description": "a & b"})
    monkeypatch.setattr(service, "spec", spec)
    text = page.render(service).decode()
    assert "<script>alert" not in text
    assert "a &amp; b" in text


def test_what_is_personal_is_on_no_page(make_artefact: Callable[..., Path], spec: ModelSpec, tmp_path: Path) -> None:
    columns = tuple(column.model_copy(update={"pii": column.name == "weight"}) for column in spec.columns)
    folder = make_artefact(tmp_path / "model", spec=spec.model_copy(update={"columns": columns}))
    service = load_service(folder, None, "group/1")
    shown = page.render(service).decode()
    weights = {row["weight"] for row in service.artefact.baseline.sample}
    assert len(weights) == 1
    buttons = [json.loads(found["data-row"] or "") for _, found in Elements(shown).found if "data-row" in found]
    assert {row["weight"] for row in (*buttons, *openapi.sample_rows(service))} == weights
    assert len({row["displacement"] for row in buttons}) == len(buttons) == 5
    assert not re.search(r"\b(1612|4984)\b", shown)
    assert "The range of the training data is not shown: the field is personal." in shown


def personal_service(make_artefact: Callable[..., Path], spec: ModelSpec, folder: Path) -> Service:
    """A model whose every feature and whose target are personal."""
    columns = tuple(column.model_copy(update={"pii": True}) for column in spec.columns)
    return load_service(make_artefact(folder, spec=spec.model_copy(update={"columns": columns})), None, "group/1")


def test_a_model_of_which_all_is_personal_has_a_page_and_answers(
    make_artefact: Callable[..., Path], spec: ModelSpec, tmp_path: Path
) -> None:
    service = personal_service(make_artefact, spec, tmp_path / "model")
    elements = Elements(page.render(service).decode())
    body = next(attributes for tag, attributes in elements.found if tag == "body")
    data = json.loads(body["data-model"] or "")
    assert [feature["trained"] for feature in data["features"] if feature["kind"] == "number"] == [None] * 6
    assert (data["target"]["edges"], data["target"]["counts"], data["target"]["maximum"]) == ([], [], None)
    assert {"prediction", "place", "actual"} <= {attributes.get("id") for _, attributes in elements.found}
    assert "marker" not in {attributes.get("id") for _, attributes in elements.found}
    buttons = [json.loads(found["data-row"] or "") for _, found in elements.found if "data-row" in found]
    assert buttons
    assert not [row for row in buttons if service.spec.target in row]
    for feature in data["features"]:
        tried = [feature["typical"], *feature["range"], *feature["curve"]]
        rows = [{**openapi.sample_rows(service)[0], feature["name"]: value} for value in tried]
        assert service.decode(json.dumps(rows).encode(), "application/json").rows == len(rows)


def test_bars_cover_the_axis_and_the_highest_fills_the_height() -> None:
    distribution = describe_numbers("x", np.array([0.0, 1.0, 1.0, 10.0]))
    drawn = histogram(distribution, 'a "label"')
    assert drawn.count("<rect") == 20
    assert 'height="100.000"' in drawn
    assert "a &quot;label&quot;" in drawn
    assert [position(distribution, value) for value in (-5, 0, 5, 10, 50)] == [0, 0, 50, 100, 100]


def test_a_distribution_of_one_value_is_drawn_too() -> None:
    assert histogram(describe_numbers("x", np.array([3.0, 3.0])), "one").count("<rect") == 1


def test_names_read_as_words() -> None:
    assert words("model_year") == "Model year"


@pytest.mark.parametrize(
    ("release", "short"),
    [
        ("arn:aws:sagemaker:eu-west-1:111111111111:model-package/g/3", "g/3"),
        ("2026-11", "2026-11"),
        ("", "no release named"),
    ],
)
def test_a_release_is_shown_short(release: str, short: str) -> None:
    assert page.short_release(release) == short


def test_without_a_script_the_page_says_so_and_shows_the_request(html: str) -> None:
    assert "<noscript>" in html
    assert "curl -H" in html


@pytest.mark.parametrize(("value", "label"), [(18.5, "18.5"), (9000.25, "9000.25"), (1234567.5, "1234567.5"), (7, "7")])
def test_a_sample_row_is_named_by_every_digit_of_what_was_recorded(
    service: Service, monkeypatch: pytest.MonkeyPatch, value: float, label: str
) -> None:
    row = {**service.artefact.baseline.sample[0], "mpg": value}
    baseline = service.artefact.baseline.model_copy(update={"sample": (row,)})
    monkeypatch.setattr(service, "artefact", service.artefact.model_copy(update={"baseline": baseline}))
    assert f">{label} mi/gal</button>" in page.render(service).decode()
