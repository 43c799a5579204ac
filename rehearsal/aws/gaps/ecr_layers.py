"""ECR keeps what is pushed: layer bytes go to `images/blobs/`, and an image's digest is that of its manifest."""

import hashlib
from pathlib import Path
from typing import Any

from moto.ecr.models import ECRBackend, Image

from rehearsal.aws import runtime
from rehearsal.aws.gaps import replace

_complete = ECRBackend.complete_layer_upload


def install() -> None:
    """Keep layers, and compute digests as the OCI distribution specification does."""
    replace(ECRBackend, complete_layer_upload=_complete_and_keep)
    replace(Image, _create_digest=_manifest_digest)


def blob_path(digest: str) -> Path:
    """Where the blob of that digest (`sha256:…`) lies."""
    return runtime.current().images / "blobs" / digest.removeprefix("sha256:")


def _complete_and_keep(
    self: ECRBackend, repository_name: str, upload_id: str, layer_digests: list[str], registry_id: str | None = None
) -> dict[str, Any]:
    repository = self.repositories.get(repository_name)
    upload = repository.uploads.get(upload_id) if repository else None
    content = b"" if upload is None else bytes(upload.layer_parts)
    answer = _complete(self, repository_name, upload_id, layer_digests, registry_id)
    blob = blob_path(str(answer["layerDigest"]))
    blob.parent.mkdir(parents=True, exist_ok=True)
    blob.write_bytes(content)
    return answer


def _manifest_digest(self: Image) -> None:
    self._image_digest = "sha256:" + hashlib.sha256(self.image_manifest.encode()).hexdigest()  # pyright: ignore[reportPrivateUsage]
