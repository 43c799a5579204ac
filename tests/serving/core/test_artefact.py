import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from models.spec import ModelSpec
from monitoring.baseline import Baseline, NumberDistribution
from serving.core.artefact import ArtefactError, load_artefact
from serving.core.service import load_service
from serving.observe import shared
from serving.observe.metrics import Observer
from serving.page import openapi, page


def test_a_whole_artefact_is_read(artefact: Path) -> None:
    digest = hashlib.sha256((artefact / "manifest.json").read_bytes()).hexdigest()
    loaded = load_artefact(artefact, digest)
    assert loaded.spec.name == "auto-mpg"
    assert loaded.manifest_sha256 == digest
    assert loaded.graph == (artefact / "model.onnx").read_bytes()


def test_another_manifest_than_the_release_pins_is_refused(artefact: Path) -> None:
    with pytest.raises(ArtefactError, match=r"manifest\.json has sha256 .* pins 0{64}"):
        load_artefact(artefact, "0" * 64)


@pytest.mark.parametrize("name", ["model.onnx", "spec.json", "baseline.json"])
def test_a_changed_file_is_refused_by_name(artefact: Path, name: str) -> None:
    with (artefact / name).open("ab") as file:
        file.write(b" ")
    with pytest.raises(ArtefactError, match=rf"{name} has sha256 .* the file was changed"):
        load_artefact(artefact)


@pytest.mark.parametrize("name", ["manifest.json", "model.onnx", "spec.json", "baseline.json"])
def test_a_missing_file_is_named(artefact: Path, name: str) -> None:
    (artefact / name).unlink()
    with pytest.raises(ArtefactError, match=rf"{name}: no such file"):
        load_artefact(artefact)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"files": {}}, "files lacks baseline.json, model.onnx, spec.json"),
        ({"files": {"../model.onnx": "0" * 64}}, "files"),
        ({"format": 2}, "format is 2; this server reads 1"),
        ({"model": "other"}, "is of model 'other'"),
        ({"files": "none"}, "files"),
    ],
)
def test_a_manifest_that_cannot_be_is_refused(
    artefact: Path, make_manifest: Callable[..., None], changes: dict[str, object], message: str
) -> None:
    make_manifest(artefact, **changes)
    with pytest.raises(ArtefactError, match=message):
        load_artefact(artefact)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"null"])
def test_a_garbled_manifest_is_refused(artefact: Path, content: bytes) -> None:
    (artefact / "manifest.json").write_bytes(content)
    with pytest.raises(ArtefactError, match=r"manifest\.json"):
        load_artefact(artefact)


@pytest.mark.parametrize("name", ["spec.json", "baseline.json"])
@pytest.mark.parametrize("content", [b"{}", b"garbage", b"\xff"])
def test_a_garbled_part_is_refused_although_its_sum_is_right(
    artefact: Path, make_manifest: Callable[..., None], name: str, content: bytes
) -> None:
    (artefact / name).write_bytes(content)
    make_manifest(artefact)
    with pytest.raises(ArtefactError, match=name):
        load_artefact(artefact)


def test_the_format_that_the_specification_serves_is_the_graph(
    artefact: Path, make_manifest: Callable[..., None], spec: ModelSpec
) -> None:
    served = spec.model_copy(update={"formats": spec.formats.model_copy(update={"served": "int8"})})
    (artefact / "spec.json").write_text(served.to_json())
    make_manifest(artefact)
    with pytest.raises(ArtefactError, match=r"files lacks model\.int8\.onnx, which spec\.json says is served"):
        load_artefact(artefact)
    (artefact / "model.int8.onnx").write_bytes(b"small")
    manifest = json.loads((artefact / "manifest.json").read_text())
    manifest["files"]["model.int8.onnx"] = hashlib.sha256(b"small").hexdigest()
    (artefact / "manifest.json").write_text(json.dumps(manifest))
    assert load_artefact(artefact).graph == b"small"


def marked(spec: ModelSpec, *names: str) -> ModelSpec:
    """`spec` with the columns `names`, and no others, personal."""
    columns = tuple(column.model_copy(update={"pii": column.name in names}) for column in spec.columns)
    return spec.model_copy(update={"columns": columns})


@pytest.fixture
def released_before(artefact: Path, make_manifest: Callable[..., None], spec: ModelSpec) -> Callable[..., Path]:
    """`released_before(names)`: an artefact whose baseline tells all of `names`, though its specification marks them.

    So training wrote it until it knew PersonalDistribution.
    """

    def make(*names: str) -> Path:
        (artefact / "spec.json").write_text(marked(spec, *names).to_json(), encoding="utf-8")
        make_manifest(artefact)
        return artefact

    return make


@pytest.mark.parametrize("names", [(), ("weight",), ("origin",), ("mpg",), ("horsepower", "origin", "mpg")])
def test_a_baseline_of_before_is_read_as_one_of_now(
    released_before: Callable[..., Path],
    make_artefact: Callable[..., Path],
    spec: ModelSpec,
    tmp_path: Path,
    names: tuple[str, ...],
) -> None:
    now = load_artefact(make_artefact(tmp_path / "now", spec=marked(spec, *names)))
    before = load_artefact(released_before(*names))
    assert before.baseline == now.baseline
    assert Baseline.load(tmp_path / "now" / "baseline.json") == now.baseline


def own_values(baseline: Baseline) -> set[str]:
    """What a baseline of before tells of weight and mpg, spelt as it may be shown: edges, extremes and sample rows."""
    told = [row[name] for row in baseline.sample for name in ("weight", "mpg")]
    for part in (baseline.feature("weight"), baseline.target, baseline.prediction):
        assert isinstance(part, NumberDistribution)
        told += [part.minimum, part.maximum, *part.quantiles.edges, *part.histogram.edges]
    return {spelt for value in told for spelt in (str(value), f"{value:.6g}", f"{value:.4g}")}


def shown(folder: Path, car: dict[str, object]) -> dict[str, set[str]]:
    """The numbers in /metrics, on the page and in the description of the interface, of a service that answered."""
    service = load_service(folder, None, "group/1")
    observer = Observer(shared.allocate(1), 0)
    observer.serving(service)
    jobs = [service.decode(json.dumps(car).encode(), "application/json")]
    observer.batch(service, jobs, service.answer_all(jobs), [0.001], 0.0001)
    texts = {
        "metrics": observer.text().decode(),
        "page": page.render(service).decode(),
        "openapi": openapi.render(service).decode(),
    }
    return {name: set(re.findall(r"-?[0-9]+(?:\.[0-9]+)?", text)) for name, text in texts.items()}


def test_what_a_baseline_of_before_tells_of_persons_is_nowhere_shown(
    released_before: Callable[..., Path], spec: ModelSpec, car: dict[str, object]
) -> None:
    own = own_values(Baseline.load(released_before() / "baseline.json"))
    for name, numbers in shown(released_before(), car).items():
        assert len(numbers & own) >= 5, f"{name}: nothing is personal, so it tells them"
    # All columns, for a number of another column may be the same by chance.
    for name, numbers in shown(released_before(*(column.name for column in spec.columns)), car).items():
        assert not numbers & own, name
