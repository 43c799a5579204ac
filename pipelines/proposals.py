"""What a pipeline proposes to release: read from the artifacts bucket, checked, and written into the release file."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from models.release import Release, ReleaseError, load_releases, parse_release, write_releases

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A release that training proposes; it becomes live when the release file holds it."""

    execution: str
    proposed_at: datetime
    release: Release


def list_proposals(s3: "S3Client", bucket: str, model: str) -> list[Proposal]:
    """The proposals for `model`, newest first."""
    prefix = f"proposals/{model}/"
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    found: list[Proposal] = []
    for entry in (entry for page in pages for entry in page.get("Contents", [])):
        key = entry.get("Key", "")
        text = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
        found.append(
            Proposal(
                execution=key.removeprefix(prefix).removesuffix(".json"),
                proposed_at=entry["LastModified"],  # pyright: ignore[reportTypedDictNotRequiredAccess]
                release=parse_release(text, f"s3://{bucket}/{key}"),
            )
        )
    return sorted(found, key=lambda proposal: proposal.proposed_at, reverse=True)


def verify_artefact(s3: "S3Client", release: Release) -> None:
    """ReleaseError unless the artefact in S3 is, byte for byte, the one that the release pins."""
    address = urlsplit(release.artefact)
    try:
        body = s3.get_object(Bucket=address.netloc, Key=address.path.lstrip("/"))["Body"]
    except (s3.exceptions.NoSuchKey, s3.exceptions.NoSuchBucket) as error:
        raise ReleaseError(f"{release.artefact}: the artefact of the release is not there") from error
    digest = hashlib.sha256()
    for chunk in body.iter_chunks(_CHUNK_BYTES):
        digest.update(chunk)
    if digest.hexdigest() != release.artefact_sha256:
        raise ReleaseError(
            f"{release.artefact}: sha256 is {digest.hexdigest()}, but the release pins {release.artefact_sha256}; "
            "the artefact was changed after it was evaluated, so it is not released"
        )


def adopt(s3: "S3Client", releases_file: Path, model: str, proposal: Proposal) -> bool:
    """Check the proposal's artefact and write it into the release file; False when the file holds it already."""
    releases = load_releases(releases_file)
    if releases.get(model) == proposal.release:
        return False
    verify_artefact(s3, proposal.release)
    write_releases(releases_file, {**releases, model: proposal.release})
    return True
