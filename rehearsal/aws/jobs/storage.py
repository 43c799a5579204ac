"""What a job's host copies between S3 and its folders. All of it through this server's own S3, as the job's role."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError


class TransferError(Exception):
    """Data that cannot be copied; the text names its URI."""


@dataclass(frozen=True, kw_only=True)
class Location:
    """A bucket and a key or prefix."""

    bucket: str
    key: str

    @staticmethod
    def parse(uri: str) -> "Location":
        """Read `s3://bucket/key`. Raises TransferError."""
        parts = urlsplit(uri)
        if parts.scheme != "s3" or not parts.netloc:
            raise TransferError(f"{uri!r} is not an S3 URI such as s3://bucket/prefix/")
        return Location(bucket=parts.netloc, key=parts.path.removeprefix("/"))

    def below(self, path: str) -> str:
        """The key of `path` below this prefix."""
        return f"{self.key.rstrip('/')}/{path}".removeprefix("/")


def fetch(s3: Any, uri: str) -> bytes:
    """One object. Raises TransferError, naming it."""
    place = Location.parse(uri)
    try:
        return s3.get_object(Bucket=place.bucket, Key=place.key)["Body"].read()
    except (ClientError, BotoCoreError) as error:
        raise TransferError(f"{uri}: {error}") from error


def download(s3: Any, uri: str, folder: Path, *, may_be_empty: bool = False) -> int:
    """Every object of that key or below that prefix, into `folder` by its path below it; returns how many."""
    place = Location.parse(uri)
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    try:
        for key in keys(s3, place):
            path = _inside(folder, relative(key, place.key), uri)
            path.parent.mkdir(parents=True, exist_ok=True)
            s3.download_file(place.bucket, key, str(path))
            count += 1
    except (ClientError, BotoCoreError) as error:
        raise TransferError(f"{uri}: {error}") from error
    if not count and not may_be_empty:
        raise TransferError(f"No S3 objects found under S3 URL {uri!r}")
    return count


def put(s3: Any, uri: str, content: bytes) -> None:
    """Write one object. Raises TransferError."""
    place = Location.parse(uri)
    try:
        s3.put_object(Bucket=place.bucket, Key=place.key, Body=content)
    except (ClientError, BotoCoreError) as error:
        raise TransferError(f"{uri}: {error}") from error


@dataclass(kw_only=True)
class Upload:
    """A folder that is kept in S3: each pass copies the files that changed since the one before."""

    s3: Any
    folder: Path
    uri: str
    _seen: dict[Path, tuple[int, int]] = field(default_factory=dict[Path, tuple[int, int]])

    def run(self) -> None:
        """Copy what is new or changed. Raises TransferError."""
        place = Location.parse(self.uri)
        for path in sorted(self.folder.rglob("*")):
            state = _state(path)
            if state is None or self._seen.get(path) == state:
                continue
            try:
                self.s3.upload_file(str(path), place.bucket, place.below(path.relative_to(self.folder).as_posix()))
            except FileNotFoundError:  # the job renamed it meanwhile
                continue
            except (ClientError, BotoCoreError, OSError) as error:
                raise TransferError(f"{self.uri}: {error}") from error
            self._seen[path] = state

    def mark_present(self) -> None:
        """Take what lies there now as copied: it came from S3."""
        self._seen.update({path: state for path in self.folder.rglob("*") if (state := _state(path)) is not None})


def _state(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size) if path.is_file() else None


def keys(s3: Any, place: Location) -> Iterator[str]:
    """Every object of that key or below that prefix. Raises what boto3 raises."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=place.bucket, Prefix=place.key):
        for entry in page.get("Contents", ()):
            if not entry["Key"].endswith("/"):
                yield entry["Key"]


def relative(key: str, prefix: str) -> str:
    """The part of a key below the prefix that it was found by: its name where the prefix is the key itself."""
    if key == prefix or not prefix:
        return key.rpartition("/")[2] if prefix else key
    below = prefix if prefix.endswith("/") else f"{prefix}/"
    if key.startswith(below):
        return key[len(below) :]
    return key[len(prefix.rpartition("/")[0]) :].removeprefix("/")


def _inside(folder: Path, relative: str, uri: str) -> Path:
    path = (folder / relative).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise TransferError(f"{uri}: object {relative!r} would lie outside the job's folder")
    return path
