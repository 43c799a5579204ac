"""From an image URI to something that can be run: the unpacked source layer and the entrypoint.

There is no other layer: the interpreter and the libraries are those of the rehearsal's own environment. With containers
the image is the one in podman's storage that has the manifest which was pushed.
"""

import json
import re
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from moto.ecr.models import ecr_backends

from rehearsal.aws import archives, runtime
from rehearsal.aws.gaps.ecr_layers import blob_path

_URI = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com/"
    r"(?P<repository>[a-z0-9][a-z0-9._/-]*)(?:@(?P<digest>sha256:[0-9a-f]{64})|:(?P<tag>[\w][\w.-]{0,127}))"
)
_unpacking = threading.Lock()


class ImageError(Exception):
    """An image that cannot be run; the text names it and says why."""


@dataclass(frozen=True, kw_only=True)
class Image:
    """A runnable image: `root` is its unpacked layer; with containers there is none, and `id` is podman's."""

    digest: str
    root: Path
    entrypoint: tuple[str, ...]
    environment: dict[str, str]
    id: str = ""
    labels: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def folder(self) -> Path:
        """Where its process starts."""
        return self.root


def resolve(uri: str) -> Image:
    """The image that an URI by digest or by tag names. Raises ImageError when it was never pushed."""
    found = _URI.fullmatch(uri)
    if found is None:
        raise ImageError(f"image {uri} is not the URI of an ECR image by tag or digest")
    manifest, digest = _manifest(uri, found.groupdict())
    config = json.loads(_blob(uri, manifest["config"]["digest"]))["config"]
    root = runtime.current().images / digest.removeprefix("sha256:") / "root"
    engine = runtime.current().engine
    if engine is not None and not engine.has_image(str(manifest["config"]["digest"])):
        raise ImageError(f"image {uri} was built elsewhere: it is not in the storage of containers, {engine.folder}")
    with _unpacking:
        if engine is None and not root.is_dir():
            _unpack(uri, manifest, root)
            (root.parent / "config.json").write_text(json.dumps(config, indent=2))
    return Image(
        digest=digest,
        root=root,
        entrypoint=tuple(config.get("Entrypoint") or ()),
        environment=dict(entry.split("=", 1) for entry in config.get("Env") or () if not entry.startswith("PATH=")),
        id=str(manifest["config"]["digest"]),
        labels=config.get("Labels") or {},
    )


def command(image: Image, entrypoint: list[str] | None, arguments: list[str]) -> list[str]:
    """What to run: `entrypoint` or the image's own, then the arguments; `python` is this very interpreter."""
    words = [*(entrypoint or image.entrypoint), *arguments]
    if not words:
        raise ImageError(f"image {image.digest} has no entrypoint")
    name = words[0].rpartition("/")[2]
    return [sys.executable, *words[1:]] if re.fullmatch(r"python(3(\.\d+)?)?", name) else words


def _manifest(uri: str, parts: dict[str, Any]) -> tuple[dict[str, Any], str]:
    repository = ecr_backends[parts["account"]][parts["region"]].repositories.get(parts["repository"])
    for image in repository.images if repository else ():
        if image.image_digest == parts["digest"] or (parts["tag"] and parts["tag"] in image.image_tags):
            return json.loads(image.image_manifest), image.image_digest
    raise ImageError(f"image {uri} does not exist: push it first")


def _unpack(uri: str, manifest: dict[str, Any], root: Path) -> None:
    try:
        (layer,) = manifest["layers"]
        archives.unpack(_blob(uri, layer["digest"]), root)
    except ValueError as error:
        raise ImageError(
            f"image {uri} has {len(manifest['layers'])} layers; the rehearsal runs images of one"
        ) from error
    except archives.ArchiveError as error:
        raise ImageError(f"image {uri}: its layer cannot be unpacked: {error}") from error


def _blob(uri: str, digest: str) -> bytes:
    try:
        return blob_path(digest).read_bytes()
    except OSError as error:
        raise ImageError(f"image {uri}: its blob {digest} was never pushed") from error
