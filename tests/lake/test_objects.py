"""Listing and reading landed objects."""

import pytest

from lake.errors import LakeError
from lake.objects import list_objects, read_object


def test_a_prefix_lists_all_below_it_and_no_folder_markers(place):
    for key in ("auto-mpg/", "auto-mpg/a.csv", "auto-mpg/2026/b.csv", "auto-mpg-2/c.csv"):
        place.land(key, b"x" if key.endswith("csv") else b"")

    found = list_objects(place.s3, bucket=place.landing, prefix="auto-mpg/")

    assert [item.key for item in found] == ["auto-mpg/2026/b.csv", "auto-mpg/a.csv"] or [
        item.modified for item in found
    ] == sorted(item.modified for item in found)
    assert {item.key for item in found} == {"auto-mpg/2026/b.csv", "auto-mpg/a.csv"}


def test_a_key_lists_that_object_alone(place):
    place.land("auto-mpg/a.csv", b"x")
    place.land("auto-mpg/a.csv.bak", b"x")

    (found,) = list_objects(place.s3, bucket=place.landing, prefix="auto-mpg/a.csv")

    assert found.uri == f"s3://{place.landing}/auto-mpg/a.csv"
    assert read_object(place.s3, found) == b"x"


@pytest.mark.parametrize(
    ("prefix", "message"), [("auto-mpg/", "no object below s3://"), ("a.csv", "no object at s3://")]
)
def test_nothing_to_read_is_told(place, prefix, message):
    with pytest.raises(LakeError, match=message):
        list_objects(place.s3, bucket=place.landing, prefix=prefix)


def test_a_bucket_that_does_not_exist_is_named(place):
    with pytest.raises(LakeError, match=r"cannot list s3://no-such-bucket/auto-mpg/: .*NoSuchBucket"):
        list_objects(place.s3, bucket="no-such-bucket", prefix="auto-mpg/")


def test_an_object_replaced_after_it_was_listed_is_not_taken_for_the_one_listed(place):
    uri = place.land("auto-mpg/a.csv", b"old")
    (listed,) = list_objects(place.s3, bucket=place.landing, prefix="auto-mpg/")
    place.land("auto-mpg/a.csv", b"new")

    with pytest.raises(LakeError, match=f"{uri} was replaced or removed while it was being ingested; run again"):
        read_object(place.s3, listed)
