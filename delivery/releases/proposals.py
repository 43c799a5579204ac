"""What a pipeline proposes to release: a document, signed with the stack's key, in the artifacts bucket.

The object holds the release as text and the signature over that very text's sha256, so that nothing depends on how
JSON is written. It is only read here; `delivery.releases.check` checks the signature before any of it is believed.
"""

import base64
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, ValidationError

from models.explain import explain
from models.release import Release, ReleaseError, parse_release
from models.schema import Section

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


class _Signed(Section):
    """The object, as the state machine writes it."""

    document: str
    signature: Annotated[str, Field(min_length=1)]
    key: str
    """Which key signed, for people; the check uses the stack's own, whatever stands here."""
    algorithm: str
    promoted_from: str = ""
    """The package in the account that it was promoted from."""


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A release that training proposes; it becomes live when the release file holds it."""

    execution: str
    proposed_at: datetime
    release: Release
    location: str
    document: str
    signature: bytes

    @property
    def signed_messages(self) -> tuple[bytes, bytes]:
        """What may have been signed: see `message`."""
        text = message(self.document)
        return text, base64.b64decode(text)


def message(document: str) -> bytes:
    """What is signed of a document: its sha256 as base64 of 64 hex digits.

    The pipeline hands KMS this text through Step Functions, whose documentation does not say whether a binary
    parameter is taken as text or as base64; both readings name the same sha256, so a signature over either counts.
    """
    return base64.b64encode(hashlib.sha256(document.encode()).hexdigest().encode())


def proposal_key(model: str, execution: str) -> str:
    """Where in the artifacts bucket the proposal of an execution lies."""
    return f"proposals/{model}/{execution}.json"


def proposal_text(document: str, *, signature: bytes, key: str, promoted_from: str) -> str:
    """The object, as one who promotes a release writes it."""
    signed = _Signed(
        document=document,
        signature=base64.b64encode(signature).decode(),
        key=key,
        algorithm="ECDSA_SHA_256",
        promoted_from=promoted_from,
    )
    return signed.model_dump_json(indent=2) + "\n"


def list_proposals(s3: "S3Client", bucket: str, model: str) -> list[Proposal]:
    """The proposals for `model`, newest first. ReleaseError for one that is no signed release."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"proposals/{model}/")
    keys = [entry.get("Key", "") for page in pages for entry in page.get("Contents", [])]
    found = [_read(s3, bucket, key) for key in keys]
    return sorted(found, key=lambda proposal: proposal.proposed_at, reverse=True)


def find_proposal(s3: "S3Client", bucket: str, model: str, execution: str) -> Proposal | None:
    """The proposal of that execution, None when there is none."""
    try:
        return _read(s3, bucket, proposal_key(model, execution))
    except s3.exceptions.NoSuchKey:
        return None


def closest(proposals: Iterable[Proposal], release: Release) -> Proposal | None:
    """The proposal that shares most with `release`, None when none shares anything that tells releases apart."""

    def shared(proposal: Proposal) -> int:
        keys = ("package", "artefact", "artefact_sha256", "manifest_sha256")
        return sum(getattr(proposal.release, key) == getattr(release, key) for key in keys)

    best = max(proposals, key=shared, default=None)
    return best if best is not None and shared(best) else None


def _read(s3: "S3Client", bucket: str, key: str) -> Proposal:
    answer = s3.get_object(Bucket=bucket, Key=key)
    location, text = f"s3://{bucket}/{key}", answer["Body"].read()
    try:
        signed = _Signed.model_validate(json.loads(text))
        signature = base64.b64decode(signed.signature, validate=True)
    except ValidationError as error:
        raise ReleaseError(explain(location, error)) from error
    except ValueError as error:
        raise ReleaseError(f"{location}: no signed proposal: {error}") from error
    return Proposal(
        execution=key.rpartition("/")[2].removesuffix(".json"),
        proposed_at=answer["LastModified"],
        release=parse_release(signed.document, location),
        location=location,
        document=signed.document,
        signature=signature,
    )
