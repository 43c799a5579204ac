"""ECR keeps what is pushed: layer bytes go to `images/blobs/`, and an image's digest is that of its manifest.

What is kept can be pulled: `GetDownloadUrlForLayer` names an address of the rehearsal, where AWS names one of S3.
"""

import hashlib
from pathlib import Path
from typing import Any, Final

from moto.core.responses import ActionResult
from moto.ecr.exceptions import InvalidParameterException
from moto.ecr.models import ECRBackend, Image
from moto.ecr.responses import ECRResponse

from rehearsal.aws import runtime
from rehearsal.aws.gaps import replace

BLOBS: Final = "blobs/"
"""Where the rehearsal's own addresses of blobs begin, after `/rehearsal/`."""
_complete = ECRBackend.complete_layer_upload


def install() -> None:
    """Keep layers, compute digests as the OCI distribution specification does, and say where layers can be read."""
    replace(ECRBackend, complete_layer_upload=_complete_and_keep)
    replace(Image, _create_digest=_manifest_digest)
    replace(ECRResponse, get_download_url_for_layer=_download_url)


def blob_path(digest: str) -> Path:
    """Where the blob of that digest (`sha256:…`) lies."""
    return runtime.current().images / "blobs" / digest.removeprefix("sha256:")


def _complete_and_keep(
    self: ECRBackend, repository_name: str, upload_id: str, layer_digests: list[str], registry_id: str | None = None
) -> dict[str, Any]:
    repository = self.repositories.get(repository_name)
    upload = repository.uploads.get(upload_id) if repository else None
    content = b"" if upload is None else bytes(upload.layer_parts)
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    if upload is not None and digest not in layer_digests:
        raise InvalidParameterException(f"The layer digests {layer_digests} do not match the uploaded one, {digest}")
    answer = _complete(self, repository_name, upload_id, layer_digests, registry_id)
    blob = blob_path(str(answer["layerDigest"]))
    blob.parent.mkdir(parents=True, exist_ok=True)
    blob.write_bytes(content)
    return answer


def _download_url(self: ECRResponse) -> ActionResult:
    name = self._get_param("repositoryName")  # pyright: ignore[reportPrivateUsage] - moto's way to read a request
    digest = self._get_param("layerDigest")  # pyright: ignore[reportPrivateUsage]
    repository = self.ecr_backend._get_repository(name)  # pyright: ignore[reportPrivateUsage]
    if digest not in repository.layers:
        raise InvalidParameterException(f"The layer {digest} is not in the repository {name}")
    address = f"{runtime.current().endpoint_url}/rehearsal/{BLOBS}{digest}"
    return ActionResult({"downloadUrl": address, "layerDigest": digest})


def _manifest_digest(self: Image) -> None:
    self._image_digest = "sha256:" + hashlib.sha256(self.image_manifest.encode()).hexdigest()  # pyright: ignore[reportPrivateUsage]
