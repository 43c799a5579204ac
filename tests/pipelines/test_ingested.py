"""What became of an object is read from the result that the ingest job left."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from lake.ingest import IngestResult, ObjectResult
from pipelines.ingested import ingested

GOOD = ObjectResult(
    object="s3://landing/auto-mpg/good.csv",
    etag="1",
    rows_read=3,
    rows_added=2,
    rows_unchanged=0,
    rows_quarantined=1,
    examples=("line 2: weight: expected a whole number",),
)
EMPTY = replace(
    GOOD, object="s3://landing/auto-mpg/empty.csv", rows_read=0, rows_added=0, rows_quarantined=0, examples=()
)


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        session: Any = boto3.Session(region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
        client = session.client("s3")
        client.create_bucket(Bucket="artifacts", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        result = IngestResult(
            model="auto-mpg",
            table="curated.auto_mpg",
            snapshot_id="1",
            rows_read=3,
            rows_added=2,
            rows_unchanged=0,
            rows_quarantined=1,
            objects_refused=1,
            objects=(GOOD, replace(EMPTY, refused="an empty object")),
        )
        key = "runs/auto-mpg/run-1/ingest.json"
        client.put_object(Bucket="artifacts", Key=key, Body=json.dumps(result.to_dict()))
        yield client


def test_rows_that_were_not_taken_come_with_the_reason(s3: Any) -> None:
    found = ingested(s3, "artifacts", "auto-mpg", "run-1", GOOD.object)
    assert found is not None
    assert (found.rows_added, found.rows_quarantined, found.nothing_good) == (2, 1, False)
    assert found.reasons == GOOD.examples


def test_an_object_that_was_refused_says_why(s3: Any) -> None:
    found = ingested(s3, "artifacts", "auto-mpg", "run-1", EMPTY.object)
    assert found is not None
    assert (found.nothing_good, found.reasons) == (True, ("an empty object",))


def test_a_run_that_read_no_such_object_tells_nothing(s3: Any) -> None:
    assert ingested(s3, "artifacts", "auto-mpg", "run-1", "s3://landing/auto-mpg/other.csv") is None
    assert ingested(s3, "artifacts", "auto-mpg", "run-2", GOOD.object) is None
