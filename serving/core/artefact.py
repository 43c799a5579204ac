"""A model's artefact, read once, checked against its manifest, and only then used.

Every file is hashed from the very bytes that are used afterwards, so that nothing can change in between. The graph is
handed to ONNX Runtime as bytes: weights in side files are not supported, and nothing is ever unpickled.
"""

import hashlib
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.explain import explain
from models.schema import graph_file
from models.spec import ModelSpec, SpecError
from monitoring.baseline import Baseline, without_personal

MANIFEST_FILE = "manifest.json"
MODEL_FILE, SPEC_FILE, BASELINE_FILE = "model.onnx", "spec.json", "baseline.json"
_SUPPORTED_FORMAT = 1

FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ArtefactError(Exception):
    """The artefact is refused; the message names the file and what was expected."""


class Dataset(BaseModel):
    """The rows that the model was trained from."""

    model_config = ConfigDict(frozen=True)

    table: str = ""
    snapshot_id: str = ""
    rows: int | None = None


class Manifest(BaseModel):
    """manifest.json as far as serving reads it; keys it does not know are for others."""

    model_config = ConfigDict(frozen=True)

    format: int
    model: str
    files: dict[FileName, Sha256]
    dataset: Dataset = Dataset()
    git_commit: str = ""
    image: str = ""
    metrics: dict[str, float] = Field(default_factory=dict)
    created_at: str = ""


class Artefact(BaseModel):
    """A whole and verified artefact."""

    model_config = ConfigDict(frozen=True)

    manifest: Manifest
    manifest_sha256: str
    spec: ModelSpec
    baseline: Baseline
    """Without what the specification marks personal, whatever baseline.json holds."""
    graph: bytes
    """The graph in the format that the specification serves: model.onnx unless `formats.served` names another."""


def load_artefact(folder: Path, expected_manifest_sha256: str | None = None) -> Artefact:
    """Read and verify the artefact in `folder`; ArtefactError when anything in it is not as its manifest says."""
    content = _read(folder, MANIFEST_FILE)
    digest = hashlib.sha256(content).hexdigest()
    if expected_manifest_sha256 and digest != expected_manifest_sha256:
        raise ArtefactError(
            f"{MANIFEST_FILE} has sha256 {digest}, but the release (MODEL_MANIFEST_SHA256) pins "
            f"{expected_manifest_sha256}; this is not the released artefact"
        )
    manifest = _parse_manifest(content)
    missing = {MODEL_FILE, SPEC_FILE, BASELINE_FILE} - manifest.files.keys()
    if missing:
        raise ArtefactError(f"{MANIFEST_FILE}: files lacks {', '.join(sorted(missing))}")
    files = {name: _verified(folder, name, sha256) for name, sha256 in manifest.files.items()}
    try:
        spec = ModelSpec.from_json(files[SPEC_FILE].decode(), origin=SPEC_FILE)
        baseline = Baseline.model_validate_json(files[BASELINE_FILE])
    except SpecError as error:
        raise ArtefactError(str(error)) from error
    except ValidationError as error:
        raise ArtefactError(explain(BASELINE_FILE, error)) from error
    except UnicodeDecodeError as error:
        raise ArtefactError(f"{SPEC_FILE}: not UTF-8 text") from error
    if not spec.name == manifest.model == baseline.model:
        raise ArtefactError(
            f"{MANIFEST_FILE} is of model {manifest.model!r}, {SPEC_FILE} of {spec.name!r}, "
            f"{BASELINE_FILE} of {baseline.model!r}; expected one and the same"
        )
    described = tuple(column.name for column in spec.feature_columns if column.type != "image")
    if described != tuple(feature.name for feature in baseline.features):
        raise ArtefactError(f"{BASELINE_FILE}: its features are not those of {SPEC_FILE} in the same order")
    graph = files.get(name := graph_file(spec.formats.served))
    if graph is None:
        raise ArtefactError(f"{MANIFEST_FILE}: files lacks {name}, which {SPEC_FILE} says is served")
    # A release that training wrote before it left personal values out is not to show them either.
    baseline = without_personal(baseline, spec)
    return Artefact(manifest=manifest, manifest_sha256=digest, spec=spec, baseline=baseline, graph=graph)


def _parse_manifest(content: bytes) -> Manifest:
    try:
        manifest = Manifest.model_validate_json(content)
    except ValidationError as error:
        raise ArtefactError(explain(MANIFEST_FILE, error)) from error
    if manifest.format != _SUPPORTED_FORMAT:
        raise ArtefactError(f"{MANIFEST_FILE}: format is {manifest.format}; this server reads {_SUPPORTED_FORMAT}")
    return manifest


def _verified(folder: Path, name: str, sha256: str) -> bytes:
    content = _read(folder, name)
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ArtefactError(f"{name} has sha256 {found}, but {MANIFEST_FILE} says {sha256}; the file was changed")
    return content


def _read(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except FileNotFoundError as error:
        raise ArtefactError(
            f"{folder / name}: no such file; expected an artefact of {MANIFEST_FILE}, {MODEL_FILE}, {SPEC_FILE} "
            f"and {BASELINE_FILE} there"
        ) from error
    except OSError as error:
        raise ArtefactError(f"{folder / name}: cannot be read: {error.strerror}") from error
