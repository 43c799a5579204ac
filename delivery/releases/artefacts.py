"""Artefacts in S3, read as a stream: their sha256, the manifest inside them, and copies in another account's bucket.

A copy is written with the sha256 that it has to have, so that S3 itself refuses other bytes and keeps the checksum.
"""

import base64
import hashlib
import json
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from delivery.errors import DeliveryError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

MANIFEST, SPEC = "manifest.json", "spec.json"
_CHUNK = 1 << 20
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html: S3 keeps the sha256 of an object
# as a whole only when it came in one request, which may have 5 GiB.
_LARGEST_PUT = 5 << 30
_NOT_THERE = ("NoSuchKey", "NoSuchBucket", "404")


class ArtefactError(DeliveryError):
    """An artefact is missing, damaged or another one than it should be; the message says which and how."""


@dataclass(frozen=True, kw_only=True)
class Location:
    """An object in S3."""

    bucket: str
    key: str

    @property
    def uri(self) -> str:
        """`s3://bucket/key`."""
        return f"s3://{self.bucket}/{self.key}"

    def in_bucket(self, bucket: str) -> "Location":
        """The same key in another bucket."""
        return Location(bucket=bucket, key=self.key)


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What an artefact was found to be."""

    sha256: str
    manifest: dict[str, Any]
    manifest_sha256: str
    spec: dict[str, Any]
    """The model's specification as it was trained."""


def parse_location(uri: str) -> Location:
    """The object that `s3://bucket/key` names."""
    address = urlsplit(uri)
    return Location(bucket=address.netloc, key=address.path.lstrip("/"))


def read_contents(s3: "S3Client", location: Location) -> Contents:
    """Read the whole artefact once: its sha256, its manifest and the manifest's. ArtefactError when it cannot be."""
    hashed = _Hashed(_body(s3, location))
    try:
        with tarfile.open(fileobj=cast("IO[bytes]", hashed), mode="r|gz") as archive:
            members = _members(archive)
        manifest, spec = (_object(members, name) for name in (MANIFEST, SPEC))
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        raise ArtefactError(f"{location.uri}: no readable artefact: {error}") from error
    hashed.drain()
    return Contents(
        sha256=hashed.hexdigest(),
        manifest=manifest,
        manifest_sha256=hashlib.sha256(members[MANIFEST]).hexdigest(),
        spec=spec,
    )


def sha256_of(s3: "S3Client", location: Location) -> str:
    """sha256 of the object's bytes, hex; ArtefactError when it is not there."""
    hashed = _Hashed(_body(s3, location))
    hashed.drain()
    return hashed.hexdigest()


def copy(source: "S3Client", target: "S3Client", here: Location, there: Location, sha256: str) -> bool:
    """Copy the object unless its bytes are there; False when they were.

    ArtefactError when the source's or the copy's bytes have another sha256 than the one asked for.
    """
    if _has(target, there, sha256):
        return False
    with tempfile.TemporaryFile() as file:
        digest, size = hashlib.sha256(), 0
        for chunk in _body(source, here).iter_chunks(_CHUNK):
            digest.update(chunk)
            size += file.write(chunk)
        if digest.hexdigest() != sha256:
            raise ArtefactError(f"{here.uri}: sha256 is {digest.hexdigest()}, not {sha256}; it is not copied")
        file.seek(0)
        if size <= _LARGEST_PUT:
            checksum = base64.b64encode(digest.digest()).decode()
            target.put_object(
                Bucket=there.bucket, Key=there.key, Body=file, ChecksumAlgorithm="SHA256", ChecksumSHA256=checksum
            )
        else:
            target.upload_fileobj(file, there.bucket, there.key, ExtraArgs={"ChecksumAlgorithm": "SHA256"})
    if not _has(target, there, sha256):
        raise ArtefactError(f"{there.uri}: the copy has another sha256 than {here.uri}; promote again")
    return True


def copy_folder(source: "S3Client", target: "S3Client", here: Location, there: Location) -> int:
    """Copy every object below the folder that is not there with the same bytes; how many were copied."""
    pages = source.get_paginator("list_objects_v2").paginate(Bucket=here.bucket, Prefix=here.key)
    copied = 0
    for key in [entry.get("Key", "") for page in pages for entry in page.get("Contents", [])]:
        found = Location(bucket=here.bucket, key=key)
        to = Location(bucket=there.bucket, key=there.key + key.removeprefix(here.key))
        copied += copy(source, target, found, to, sha256_of(source, found))
    return copied


def _has(s3: "S3Client", location: Location, sha256: str) -> bool:
    """Whether the object is there with these bytes: by S3's own checksum where it keeps one, else by reading it."""
    try:
        found = s3.head_object(Bucket=location.bucket, Key=location.key, ChecksumMode="ENABLED")
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in _NOT_THERE:
            return False
        raise
    kept = found.get("ChecksumSHA256", "")
    if kept and found.get("ChecksumType", "FULL_OBJECT") == "FULL_OBJECT":
        return base64.b64decode(kept).hex() == sha256
    return sha256_of(s3, location) == sha256


def _body(s3: "S3Client", location: Location) -> Any:
    try:
        return s3.get_object(Bucket=location.bucket, Key=location.key)["Body"]
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in _NOT_THERE:
            raise ArtefactError(f"{location.uri} is not there") from error
        raise


def _members(archive: tarfile.TarFile) -> dict[str, bytes]:
    """The documents in the archive by name; a stream is read in order, and once."""
    found: dict[str, bytes] = {}
    for member in archive:
        name = member.name.removeprefix("./")
        if name in (MANIFEST, SPEC) and (file := archive.extractfile(member)) is not None:
            found[name] = file.read()
    return found


def _object(members: Mapping[str, bytes], name: str) -> dict[str, Any]:
    if name not in members:
        raise ValueError(f"it holds no {name}")
    document: Any = json.loads(members[name])
    if not isinstance(document, dict):
        raise ValueError(f"{name} in it is no JSON object")
    return cast("dict[str, Any]", document)


class _Hashed:
    """A stream that hashes what is read from it."""

    def __init__(self, body: Any) -> None:
        self._body = body
        self._digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Read on."""
        chunk: bytes = self._body.read(size) if size >= 0 else self._body.read()
        self._digest.update(chunk)
        return chunk

    def drain(self) -> None:
        """Read to the end: an archive's reader stops where the archive ends."""
        while self.read(_CHUNK):
            pass

    def hexdigest(self) -> str:
        """sha256 of what was read, hex."""
        return self._digest.hexdigest()
