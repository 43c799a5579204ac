"""Pulumi's self-managed state backend: where it is for a stack, and the files in it.

The layout is that of `pkg/backend/diy` in pulumi/pulumi. A backend is a folder (`file://…`) or an S3 bucket
(`s3://bucket/prefix?region=…`); boto3 takes endpoint and credentials from the environment, as everything else does.
"""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

import yaml
from botocore.exceptions import ClientError

from delivery.aws_session import aws_session
from delivery.errors import DeliveryError
from infra.settings import Settings

STACKS = ".pulumi/stacks"
LOCKS = ".pulumi/locks"
BACKUPS = ".pulumi/backups"
ORGANIZATION = "organization"
BACKEND_VARIABLE = "PULUMI_BACKEND_URL"


class BackendError(DeliveryError):
    """The address names no backend that can be read."""


def backend_url(settings: Settings, environment: Mapping[str, str] | None = None) -> str:
    """Where the state of the stack is: what `PULUMI_BACKEND_URL` says, else the bucket that the bootstrap made."""
    given = (os.environ if environment is None else environment).get(BACKEND_VARIABLE)
    return given or f"s3://{settings.names.state_bucket}?region={settings.region}&awssdk=v2"


def project_name(project_dir: Path) -> str:
    """The name of the Pulumi project, below which the backend keeps its stacks; raises BackendError."""
    path = project_dir / "Pulumi.yaml"
    try:
        document: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        return str(document["name"])
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise BackendError(f"{path}: the project's `name` cannot be read ({error})") from error


def secrets_provider(settings: Settings) -> str:
    """What encrypts the secrets in that state."""
    return f"awskms://alias/{settings.names.state_key_alias}?region={settings.region}"


class StateBucket(Protocol):
    """The files of a backend by their keys, such as `.pulumi/stacks/drivetrain/dev.json`."""

    def keys(self, prefix: str) -> list[str]:
        """Every key below the folder `prefix`, sorted."""
        ...

    def read(self, key: str) -> str | None:
        """The text under `key`, or None."""
        ...

    def modified(self, key: str) -> datetime | None:
        """When `key` was last written, or None."""
        ...

    def write(self, key: str, text: str) -> None:
        """Put `text` under `key`, as a whole."""
        ...

    def delete(self, *keys: str) -> None:
        """Remove them; one that is gone already is no error."""
        ...

    def url_of(self, key: str) -> str:
        """The key as people see it."""
        ...


def open_bucket(url: str) -> StateBucket:
    """The files of the backend at `url`; raises BackendError for a kind that is not served here."""
    parts = urlsplit(url)
    if parts.scheme == "file" and (parts.path or parts.netloc):
        return FolderBucket(Path(parts.netloc + parts.path).expanduser())
    if parts.scheme == "s3" and parts.netloc:
        query = parse_qs(parts.query)
        region = query.get("region", [None])[0]
        return S3Bucket(parts.netloc, parts.path.strip("/"), region)
    raise BackendError(f"{url!r} is no backend known here; use file:///folder or s3://bucket?region=eu-west-1")


class FolderBucket:
    """A backend in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keys(self, prefix: str) -> list[str]:
        """Every file below the folder `prefix`."""
        base = self._folder / prefix
        found = [path for path in base.rglob("*") if path.is_file()] if base.is_dir() else []
        return sorted(path.relative_to(self._folder).as_posix() for path in found)

    def read(self, key: str) -> str | None:
        """The text of the file."""
        path = self._folder / key
        return path.read_text(encoding="utf-8") if path.is_file() else None

    def modified(self, key: str) -> datetime | None:
        """When the file was last written."""
        path = self._folder / key
        return datetime.fromtimestamp(path.stat().st_mtime, UTC) if path.is_file() else None

    def write(self, key: str, text: str) -> None:
        """Replace the file in one step."""
        path = self._folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)

    def delete(self, *keys: str) -> None:
        """Remove the files."""
        for key in keys:
            (self._folder / key).unlink(missing_ok=True)

    def url_of(self, key: str) -> str:
        """A file URL."""
        return (self._folder / key).absolute().as_uri()


class S3Bucket:
    """A backend in an S3 bucket."""

    def __init__(self, bucket: str, prefix: str, region: str | None) -> None:
        self._bucket, self._prefix = bucket, f"{prefix}/" if prefix else ""
        self._s3: Any = aws_session(region_name=region).client("s3")

    def keys(self, prefix: str) -> list[str]:
        """Every object below `prefix`."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=f"{self._prefix}{prefix.rstrip('/')}/"
        )
        found = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
        return sorted(str(key).removeprefix(self._prefix) for key in found)

    def read(self, key: str) -> str | None:
        """The text of the object."""
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=self._prefix + key)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "NoSuchKey":
                return None
            raise
        return answer["Body"].read().decode()

    def modified(self, key: str) -> datetime | None:
        """When the object was last written."""
        try:
            return self._s3.head_object(Bucket=self._bucket, Key=self._prefix + key)["LastModified"]
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in ("404", "NoSuchKey"):
                return None
            raise

    def write(self, key: str, text: str) -> None:
        """Put the object."""
        self._s3.put_object(Bucket=self._bucket, Key=self._prefix + key, Body=text.encode())

    def delete(self, *keys: str) -> None:
        """Remove the objects, which leaves their versions."""
        for start in range(0, len(keys), 1000):
            objects = [{"Key": self._prefix + key} for key in keys[start : start + 1000]]
            self._s3.delete_objects(Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True})

    def url_of(self, key: str) -> str:
        """An s3 URL."""
        return f"s3://{self._bucket}/{self._prefix}{key}"
