"""Images in ECR through its own API, with no docker daemon: read by digest, copied byte for byte.

An image keeps its digest because its manifest is put as the very text that was read: the digest is that text's sha256.
Layers are streamed from one registry into the other and never lie on this machine as a whole.
"""

import hashlib
import json
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from botocore.exceptions import ClientError

from delivery.errors import DeliveryError

if TYPE_CHECKING:
    from types_boto3_ecr import ECRClient

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
INDEX_TYPES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
# ECR turns a manifest into an older format for those who do not say that they take it as it is.
_ACCEPTED = [MANIFEST_TYPE, "application/vnd.docker.distribution.manifest.v2+json", *INDEX_TYPES]
_THERE_ALREADY = ("ImageAlreadyExistsException", "LayerAlreadyExistsException")
_READ_TIMEOUT_S = 120


class RegistryError(DeliveryError):
    """An image or a part of it is not as it should be; the message names it."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """An image's manifest as the registry holds it."""

    text: str
    media_type: str
    digest: str

    @property
    def document(self) -> dict[str, Any]:
        """The manifest, parsed."""
        return cast("dict[str, Any]", json.loads(self.text))

    @property
    def blobs(self) -> list[str]:
        """The digests of configuration and layers, each once, as the manifest has them."""
        document = self.document
        found = [document["config"], *document["layers"]]
        return list(dict.fromkeys(str(entry["digest"]) for entry in found))

    @property
    def children(self) -> list[str]:
        """The digests of the manifests that an index names; none for an image."""
        return [str(entry["digest"]) for entry in self.document.get("manifests", [])]


@dataclass(frozen=True, kw_only=True)
class Repository:
    """One ECR repository."""

    client: "ECRClient"
    registry: str
    """The host, such as `222222222222.dkr.ecr.eu-west-1.amazonaws.com`."""
    name: str

    def uri(self, digest: str) -> str:
        """The image of that digest, as SageMaker and docker name it."""
        return f"{self.registry}/{self.name}@{digest}"

    def find(self, *, tag: str | None = None, digest: str | None = None) -> Manifest | None:
        """The manifest behind the tag or digest, None when there is none. RegistryError without the repository."""
        identity: Any = {"imageTag": tag} if digest is None else {"imageDigest": digest}
        try:
            answer = self.client.batch_get_image(
                repositoryName=self.name, imageIds=[identity], acceptedMediaTypes=_ACCEPTED
            )
        except self.client.exceptions.RepositoryNotFoundException as error:
            raise RegistryError(
                f"{self.registry} has no repository {self.name}; the deployment of the stack makes it"
            ) from error
        for image in answer.get("images", []):
            text = image.get("imageManifest", "")
            return Manifest(
                text=text,
                media_type=image.get("imageManifestMediaType") or json.loads(text).get("mediaType", ""),
                digest=image.get("imageId", {}).get("imageDigest", digest_of(text.encode())),
            )
        return None

    def tags(self, digest: str) -> list[str]:
        """Every tag of the image."""
        details = self.client.describe_images(repositoryName=self.name, imageIds=[{"imageDigest": digest}])
        return sorted(tag for image in details["imageDetails"] for tag in image.get("imageTags", []))

    def referrers(self, digest: str) -> list[str]:
        """The digests of what names the image as its subject, such as an attestation."""
        found: list[str] = []
        request: dict[str, Any] = {"repositoryName": self.name, "subjectId": {"imageDigest": digest}}
        while True:
            answer = self.client.list_image_referrers(**request)
            found += [entry["digest"] for entry in answer["referrers"]]
            if not (token := answer.get("nextToken")):
                return found
            request["nextToken"] = token

    def put(self, manifest: Manifest, tag: str | None = None) -> None:
        """Put the manifest as it is, under the tag; one that is there already stays. Its blobs must be there."""
        request: dict[str, Any] = {"imageTag": tag} if tag is not None else {}
        try:
            self.client.put_image(
                repositoryName=self.name,
                imageManifest=manifest.text,
                imageManifestMediaType=manifest.media_type,
                imageDigest=manifest.digest,
                **request,
            )
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") not in _THERE_ALREADY:
                raise

    def has_blob(self, digest: str) -> bool:
        """Whether the blob is there."""
        answer = self.client.batch_check_layer_availability(repositoryName=self.name, layerDigests=[digest])
        return any(layer.get("layerAvailability") == "AVAILABLE" for layer in answer.get("layers", []))

    def blob(self, digest: str) -> bytes:
        """A small blob, checked against its digest."""
        with self._opened(digest) as stream:
            content = stream.read()
        if digest_of(content) != digest:
            raise RegistryError(f"{self.uri(digest)}: the bytes of the blob have another digest: {digest_of(content)}")
        return content

    def put_blob(self, content: bytes) -> str:
        """Upload a small blob unless it is there; its digest."""
        digest = digest_of(content)
        if not self.has_blob(digest):
            self._upload(digest, lambda _size: iter([content]))
        return digest

    def copy_blob(self, digest: str, source: "Repository") -> None:
        """Copy the blob from `source` unless it is there; RegistryError when its bytes are not of that digest."""
        if self.has_blob(digest):
            return
        with source._opened(digest) as stream:
            self._upload(digest, lambda size: _parts(stream, size))

    def _opened(self, digest: str) -> Any:
        url = self.client.get_download_url_for_layer(repositoryName=self.name, layerDigest=digest)["downloadUrl"]
        return urllib.request.urlopen(url, timeout=_READ_TIMEOUT_S)  # noqa: S310 - an address that ECR gave

    def _upload(self, digest: str, parts: Callable[[int], Iterator[bytes]]) -> None:
        started = self.client.initiate_layer_upload(repositoryName=self.name)
        upload, first, hashed = started["uploadId"], 0, hashlib.sha256()
        for part in parts(started["partSize"]):
            self.client.upload_layer_part(
                repositoryName=self.name,
                uploadId=upload,
                partFirstByte=first,
                partLastByte=first + len(part) - 1,
                layerPartBlob=part,
            )
            hashed.update(part)
            first += len(part)
        if f"sha256:{hashed.hexdigest()}" != digest:
            raise RegistryError(f"{self.uri(digest)}: what was read has sha256 {hashed.hexdigest()}; it is not copied")
        try:
            self.client.complete_layer_upload(repositoryName=self.name, uploadId=upload, layerDigests=[digest])
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") not in _THERE_ALREADY:
                raise


def digest_of(content: bytes) -> str:
    """The digest of the bytes, `sha256:…`."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def parse_uri(uri: str) -> tuple[str, str, str]:
    """Registry, repository and digest of `registry/repository@sha256:…`; RegistryError for another form."""
    place, at, digest = uri.partition("@")
    registry, slash, name = place.partition("/")
    if not (at and slash and name and digest.startswith("sha256:")):
        raise RegistryError(f"{uri}: no image by digest; right would be <registry>/<repository>@sha256:<64 hex digits>")
    return registry, name, digest


def _parts(stream: BinaryIO, size: int) -> Iterator[bytes]:
    """The stream in parts of exactly `size` bytes, the last one shorter: ECR takes no small part in between."""
    held = b""
    while chunk := stream.read(size - len(held)):
        held += chunk
        if len(held) == size:
            yield held
            held = b""
    if held:
        yield held
