"""`s3://bucket/key` as two parts, and small objects written there."""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from lake.errors import LakeError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


def split_uri(uri: str) -> tuple[str, str]:
    """The bucket and the key of `s3://bucket/key`; LakeError when it is something else."""
    parts = urlsplit(uri)
    if parts.scheme != "s3" or not parts.netloc or not parts.path.strip("/"):
        raise LakeError(f"{uri!r} is no place in S3, expected s3://bucket/key")
    return parts.netloc, parts.path.lstrip("/")


def put(s3: "S3Client", uri: str, body: bytes) -> None:
    """Write `body` as the object `uri`; LakeError when it cannot be written."""
    bucket, key = split_uri(uri)
    try:
        s3.put_object(Bucket=bucket, Key=key, Body=body)
    except ClientError as error:
        raise LakeError(f"cannot write {uri}: {error}") from error
