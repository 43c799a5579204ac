import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from models.spec import ModelSpec
from serving.core.artefact import ArtefactError, load_artefact


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
