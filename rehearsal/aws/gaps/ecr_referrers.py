"""ECR's ListImageReferrers: what names an image as its subject, such as an attestation; moto has no such call."""

import json
from collections.abc import Iterator
from typing import Any, Final

from moto.core.responses import ActionResult
from moto.ecr.models import Repository
from moto.ecr.responses import ECRResponse

from rehearsal.aws.gaps import replace

NOTES: Final = ("ListImageReferrers gives every referrer at once and takes no filter.",)


def install() -> None:
    """Add the call."""
    replace(ECRResponse, list_image_referrers=_list_referrers)


def _list_referrers(self: ECRResponse) -> ActionResult:
    name = self._get_param("repositoryName")  # pyright: ignore[reportPrivateUsage] - moto's way to read a request
    subject = self._get_param("subjectId")["imageDigest"]  # pyright: ignore[reportPrivateUsage]
    repository = self.ecr_backend._get_repository(name)  # pyright: ignore[reportPrivateUsage]
    return ActionResult({"referrers": list(_referrers(repository, subject))})


def _referrers(repository: Repository, subject: str) -> Iterator[dict[str, Any]]:
    for image in repository.images:
        manifest: dict[str, Any] = json.loads(image.image_manifest)
        named: dict[str, Any] = manifest.get("subject") or {}
        if named.get("digest") == subject:
            yield {
                "digest": image.image_digest,
                "mediaType": image.image_manifest_media_type,
                "artifactType": manifest.get("artifactType", ""),
                "size": len(image.image_manifest.encode()),
                "annotations": manifest.get("annotations", {}),
                "artifactStatus": "ACTIVE",
            }
