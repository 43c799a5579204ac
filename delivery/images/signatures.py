"""Signatures of images in cosign's own format, so that cosign checks what we sign and we check what cosign signs.

`cosign sign --key awskms:///alias/… IMAGE@DIGEST` stores an image under the tag `sha256-<hex>.sig`: each layer is a
payload ("simple signing") that names the digest, its signature stands in the layer's annotation.
https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md

The repositories are immutable, so the tag is written once. A copy in another account is countersigned: its tag holds
the signatures that came along and one by the account's own key. So each account trusts its own key and no other's.
"""

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from delivery.images.container_registry import MANIFEST_TYPE, Manifest, Repository, digest_of
from delivery.releases.signing import SigningKey

PAYLOAD_TYPE = "application/vnd.dev.cosign.simplesigning.v1+json"
SIGNATURE_KEY = "dev.cosignproject.cosign/signature"
_CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
_CLAIM = "cosign container image signature"


@dataclass(frozen=True, kw_only=True)
class ImageSignature:
    """One signature of an image: the layer's descriptor and its payload."""

    layer: dict[str, Any]
    payload: bytes

    @property
    def signature(self) -> bytes:
        """The signature's bytes; empty where the annotation is no base64."""
        try:
            return base64.b64decode(self.layer["annotations"][SIGNATURE_KEY], validate=True)
        except (KeyError, ValueError):
            return b""

    def is_of(self, digest: str) -> bool:
        """Whether the payload claims the image of that digest."""
        try:
            critical = json.loads(self.payload)["critical"]
            return critical["image"]["docker-manifest-digest"] == digest and critical["type"] == _CLAIM
        except (ValueError, KeyError, TypeError):
            return False


def attached_tag(digest: str, suffix: str) -> str:
    """The tag under which cosign attaches `sig` or `att` to the image of that digest."""
    return f"{digest.replace(':', '-')}.{suffix}"


def signatures(repository: Repository, digest: str) -> list[ImageSignature]:
    """Every signature that is attached to the image; none when nothing is."""
    manifest = repository.find(tag=attached_tag(digest, "sig"))
    if manifest is None:
        return []
    layers = [layer for layer in manifest.document["layers"] if layer.get("mediaType") == PAYLOAD_TYPE]
    return [ImageSignature(layer=layer, payload=repository.blob(layer["digest"])) for layer in layers]


def is_signed(repository: Repository, digest: str, key: SigningKey) -> bool:
    """Whether a signature of the image by `key` is attached to it."""
    return any(_valid(signatures(repository, digest), digest, key))


def unsigned_because(repository: Repository, digest: str, key: SigningKey) -> str:
    """Why the image does not count as signed, and what would be right; empty when it is signed."""
    found = signatures(repository, digest)
    right = f"right would be: cosign sign --key {key.cosign_reference} {repository.uri(digest)}"
    if not found:
        return f"{repository.uri(digest)} has no signature; {right}"
    if not any(_valid(found, digest, key)):
        return f"{repository.uri(digest)} has {len(found)} signature(s), none of them by {key.key_id}; {right}"
    return ""


def sign(repository: Repository, digest: str, key: SigningKey, kept: Sequence[ImageSignature] = ()) -> bool:
    """Attach a signature by `key`, beside those in `kept`; False when one is attached already."""
    if is_signed(repository, digest, key):
        return False
    own = _signed_payload(repository, digest, key)
    for each in (*kept, own):
        repository.put_blob(each.payload)
    layers = [each.layer for each in (*kept, own)]
    repository.put(_manifest(repository, layers), attached_tag(digest, "sig"))
    return True


def _valid(found: Sequence[ImageSignature], digest: str, key: SigningKey) -> Iterator[bool]:
    return (each.is_of(digest) and key.verifies(each.payload, each.signature) for each in found)


def _signed_payload(repository: Repository, digest: str, key: SigningKey) -> ImageSignature:
    """What cosign writes, byte for byte: Go's JSON without spaces."""
    claim = {
        "critical": {
            "identity": {"docker-reference": f"{repository.registry}/{repository.name}"},
            "image": {"docker-manifest-digest": digest},
            "type": _CLAIM,
        },
        "optional": None,
    }
    payload = json.dumps(claim, separators=(",", ":")).encode()
    annotation = base64.b64encode(key.sign(payload)).decode()
    layer = {**_descriptor(PAYLOAD_TYPE, payload), "annotations": {SIGNATURE_KEY: annotation}}
    return ImageSignature(layer=layer, payload=payload)


def _manifest(repository: Repository, layers: Sequence[dict[str, Any]]) -> Manifest:
    configuration = json.dumps(
        {
            "architecture": "",
            "created": "0001-01-01T00:00:00Z",
            "history": [{"created": "0001-01-01T00:00:00Z"} for _ in layers],
            "os": "",
            "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer in layers]},
            "config": {},
        },
        separators=(",", ":"),
    ).encode()
    repository.put_blob(configuration)
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": _descriptor(_CONFIG_TYPE, configuration),
        "layers": list(layers),
    }
    text = json.dumps(document, separators=(",", ":"))
    return Manifest(text=text, media_type=MANIFEST_TYPE, digest=digest_of(text.encode()))


def _descriptor(media_type: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "size": len(content), "digest": digest_of(content)}
