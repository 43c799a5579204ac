"""Objects of the landing bucket: listed below a prefix, read at the very version that was listed."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from lake.errors import LakeError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_CHANGED = {"412", "PreconditionFailed", "404", "NoSuchKey"}


@dataclass(frozen=True, kw_only=True)
class LandedObject:
    """One object as it was listed; the ETag names its content."""

    bucket: str
    key: str
    etag: str
    size: int
    modified: datetime

    @property
    def uri(self) -> str:
        """`s3://bucket/key`."""
        return f"s3://{self.bucket}/{self.key}"


def list_objects(s3: "S3Client", *, bucket: str, prefix: str) -> tuple[LandedObject, ...]:
    """The object `prefix`, or all below it when it ends in `/`; oldest first, so that the first to send a key keeps it.

    Empty "folder" markers are left out. LakeError when there is no object, or no such bucket.
    """
    found: list[LandedObject] = []
    try:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for entry in page.get("Contents", []):
                item = LandedObject(
                    bucket=bucket,
                    key=entry.get("Key", ""),
                    etag=entry.get("ETag", "").strip('"'),
                    size=entry.get("Size", 0),
                    modified=entry["LastModified"],  # pyright: ignore[reportTypedDictNotRequiredAccess] always listed
                )
                if not item.key.endswith("/") and (prefix.endswith("/") or item.key == prefix):
                    found.append(item)
    except ClientError as error:
        raise LakeError(f"cannot list s3://{bucket}/{prefix}: {error}") from error
    if not found:
        where = "below" if prefix.endswith("/") else "at"
        raise LakeError(f"no object {where} s3://{bucket}/{prefix}; expected at least one .csv, .jsonl or .parquet")
    return tuple(sorted(found, key=lambda item: (item.modified, item.key)))


def read_object(s3: "S3Client", item: LandedObject) -> bytes:
    """The whole content of `item`; LakeError when it was replaced or removed since it was listed."""
    try:
        return s3.get_object(Bucket=item.bucket, Key=item.key, IfMatch=f'"{item.etag}"')["Body"].read()
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in _CHANGED:
            raise LakeError(f"{item.uri} was replaced or removed while it was being ingested; run again") from error
        raise LakeError(f"cannot read {item.uri}: {error}") from error
