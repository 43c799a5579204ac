"""The artefact, model.tar.gz: which files it holds, how its manifest is written, and how it is opened safely.

`manifest.json` names the sha256 of every other file. Nothing here or in the files is ever unpickled.
"""

import hashlib
import json
import shutil
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from models.schema import graph_file
from models.spec import ModelSpec, SpecError
from training.errors import JobError

MODEL_FILE = "model.onnx"
SPEC_JSON = "spec.json"
HISTORY_FILE = "history.json"
MANIFEST_FILE = "manifest.json"
ARCHIVE = "model.tar.gz"
FORMAT = 1
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Artefact:
    """An unpacked artefact whose files match its manifest."""

    folder: Path
    spec: ModelSpec
    manifest: dict[str, Any]
    sha256: str
    """Of model.tar.gz."""
    manifest_sha256: str

    @property
    def model_path(self) -> Path:
        """The ONNX graph, in the format that is served."""
        return self.folder / graph_file(self.spec.formats.served)

    @property
    def history(self) -> dict[str, list[float]]:
        """The learning curve; empty lists when the artefact holds none."""
        path = self.folder / HISTORY_FILE
        if not path.is_file():
            return {"epoch": [], "training_loss": [], "validation_mae": []}
        return cast("dict[str, list[float]]", json.loads(path.read_text(encoding="utf-8")))


def sha256_of(path: Path) -> str:
    """sha256 of a file, hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def write_manifest(folder: Path, content: Mapping[str, object]) -> Path:
    """Write manifest.json over the files that lie in `folder`, `content` beside them."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != MANIFEST_FILE)
    document = {"format": FORMAT, **content, "files": {path.name: sha256_of(path) for path in files}}
    path = folder / MANIFEST_FILE
    path.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return path


def _unpack(tar: tarfile.TarFile, folder: Path) -> None:
    """Plain files below the folder, and nothing else; TarError names a member that is another thing.

    Without tarfile's own filters, which Debian 12's Python 3.11.2 does not have yet.
    """
    for member in tar.getmembers():
        target = folder / member.name
        if member.isdir() and target.resolve().is_relative_to(folder.resolve()):
            continue
        content = tar.extractfile(member) if member.isreg() else None
        if content is None or not target.resolve().is_relative_to(folder.resolve()):
            raise tarfile.TarError(f"{member.name!r} is no plain file below the archive's root")
        target.parent.mkdir(parents=True, exist_ok=True)
        with content, target.open("wb") as file:
            shutil.copyfileobj(content, file)


def open_artefact(archive: Path, folder: Path) -> Artefact:
    """Unpack `archive` into `folder` and check it; JobError names the file that is missing, damaged or unexpected."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(archive, "r:gz") as tar:
            _unpack(tar, folder)
    except FileNotFoundError as error:
        raise JobError(f"{archive.name}: no such file in the input {archive.parent.name!r}") from error
    except (tarfile.TarError, EOFError, OSError) as error:
        raise JobError(f"{archive.name}: no readable artefact: {error}") from error
    manifest = _checked_manifest(folder)
    try:
        spec = ModelSpec.from_json((folder / SPEC_JSON).read_text(encoding="utf-8"))
    except (SpecError, UnicodeDecodeError) as error:
        raise JobError(str(error)) from error
    if (graph := graph_file(spec.formats.served)) not in manifest["files"]:
        raise JobError(f"{graph}: missing from the artefact, though {SPEC_JSON} says that it is served")
    return Artefact(
        folder=folder,
        spec=spec,
        manifest=manifest,
        sha256=sha256_of(archive),
        manifest_sha256=sha256_of(folder / MANIFEST_FILE),
    )


def _checked_manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest = cast("dict[str, Any]", json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8")))
        version, files = manifest["format"], cast("dict[str, str]", manifest["files"])
    except FileNotFoundError as error:
        raise JobError(f"{MANIFEST_FILE}: no such file in the artefact") from error
    except (ValueError, KeyError, TypeError) as error:
        raise JobError(f"{MANIFEST_FILE}: not readable: {error}") from error
    if version != FORMAT:
        raise JobError(f"{MANIFEST_FILE}: format {version!r} is not known, {FORMAT} is")
    for name in sorted({MODEL_FILE, SPEC_JSON, *files}):
        path = folder / name
        if name not in files or not path.is_file():
            raise JobError(f"{name}: missing from the artefact or from its manifest")
        if (found := sha256_of(path)) != files[name]:
            raise JobError(f"{name}: sha256 is {found}, the manifest says {files[name]}")
    return manifest
