"""A bucket whose versioning was switched off keeps what it has, version by version."""

from collections.abc import Callable
from typing import Any

import pytest

Client = Callable[[str], Any]


@pytest.fixture
def suspended(client: Client) -> str:
    """A bucket with two objects, one of them of two versions and deleted; its versioning is suspended by now."""
    s3 = client("s3")
    s3.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})
    for body in (b"1", b"2"):
        s3.put_object(Bucket="lake", Key="table", Body=body)
    s3.put_object(Bucket="lake", Key="other", Body=b"3")
    s3.delete_object(Bucket="lake", Key="table")
    s3.put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Suspended"})
    return "lake"


def held(s3: Any, bucket: str) -> list[tuple[str, str]]:
    answer = s3.list_object_versions(Bucket=bucket)
    return [(each["Key"], each["VersionId"]) for kind in ("DeleteMarkers", "Versions") for each in answer.get(kind, [])]


def test_its_versions_and_markers_are_deleted_one_by_one_and_then_it_is_gone(client: Client, suspended: str) -> None:
    s3 = client("s3")
    found = held(s3, suspended)
    assert [key for key, _ in found] == ["table", "other", "table", "table"]
    (marker, *_) = found
    s3.delete_object(Bucket=suspended, Key=marker[0], VersionId=marker[1])
    assert s3.get_object(Bucket=suspended, Key="table")["Body"].read() == b"2"
    rest = [{"Key": key, "VersionId": version} for key, version in held(s3, suspended)]
    answer = s3.delete_objects(Bucket=suspended, Delete={"Objects": rest, "Quiet": True})
    assert answer.get("Errors", []) == []
    assert held(s3, suspended) == []
    s3.delete_bucket(Bucket=suspended)
    assert suspended not in [each["Name"] for each in s3.list_buckets()["Buckets"]]


def test_a_plain_delete_only_hides_the_object(client: Client, suspended: str) -> None:
    s3 = client("s3")
    before = held(s3, suspended)
    s3.delete_object(Bucket=suspended, Key="other")
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket=suspended, Key="other")
    assert set(before) < set(held(s3, suspended))
    s3.delete_object(Bucket=suspended, Key="never there")
    rest = [{"Key": key, "VersionId": version} for key, version in held(s3, suspended)]
    s3.delete_objects(Bucket=suspended, Delete={"Objects": rest})
    s3.delete_bucket(Bucket=suspended)
