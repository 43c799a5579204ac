"""Places in S3."""

import pytest

from lake.errors import LakeError
from lake.locations import put, split_uri


def test_a_uri_has_a_bucket_and_a_key():
    assert split_uri("s3://bucket/a/b.json") == ("bucket", "a/b.json")


@pytest.mark.parametrize("uri", ["", "bucket/key", "https://bucket/key", "s3://bucket", "s3://bucket/", "s3:///key"])
def test_anything_else_is_no_place(uri):
    with pytest.raises(LakeError, match="expected s3://bucket/key"):
        split_uri(uri)


def test_a_bucket_that_does_not_exist_is_named(place):
    with pytest.raises(LakeError, match="cannot write s3://no-such-bucket/key"):
        put(place.s3, "s3://no-such-bucket/key", b"")
