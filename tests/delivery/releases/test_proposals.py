"""Signed proposals: read as they were written, and said when they are none."""

import base64
import functools
import hashlib
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from delivery.releases.proposals import closest, find_proposal, list_proposals, message, proposal_key, proposal_text
from models.release import Release, ReleaseError

BUCKET = "artifacts"


def release(version: int) -> Release:
    return Release(
        package=f"arn:aws:sagemaker:eu-west-1:111111111111:model-package/group/{version}",
        artefact=f"s3://{BUCKET}/models/{version}/model.tar.gz",
        artefact_sha256=f"{version}" * 64,
        manifest_sha256="b" * 64,
        image="registry/serving@sha256:" + "c" * 64,
        snapshot="8204377395012438743",
        commit="0123abc",
        metrics={"mae": 1.9},
    )


@functools.cache
def _session() -> Any:
    """Reads the services' descriptions once."""
    return boto3.Session(region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        client = _session().client("s3")
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        yield client


def propose(s3: Any, version: int, model: str = "auto-mpg") -> None:
    text = proposal_text(release(version).model_dump_json(), signature=b"signed", key="alias/key", promoted_from="")
    s3.put_object(Bucket=BUCKET, Key=proposal_key(model, f"run-{version}"), Body=text.encode())


def test_proposals_are_those_of_the_model(s3: Any) -> None:
    propose(s3, 1)
    propose(s3, 2)
    propose(s3, 3, model="other")
    found = list_proposals(s3, BUCKET, "auto-mpg")
    assert {proposal.execution for proposal in found} == {"run-1", "run-2"}
    assert {proposal.signature for proposal in found} == {b"signed"}
    assert list_proposals(s3, BUCKET, "nothing") == []


def test_one_is_found_by_its_execution(s3: Any) -> None:
    propose(s3, 1)
    found = find_proposal(s3, BUCKET, "auto-mpg", "run-1")
    assert found is not None
    assert (found.release, found.location) == (release(1), "s3://artifacts/proposals/auto-mpg/run-1.json")
    assert find_proposal(s3, BUCKET, "auto-mpg", "run-9") is None


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"package": 3}', "document: missing"),
        ("nothing", "no signed proposal"),
        ('{"document": "{}", "signature": "#", "key": "k", "algorithm": "a"}', "no signed proposal"),
        ('{"document": "{}", "signature": "c2ln", "key": "k", "algorithm": "a"}', "package: missing"),
        ('{"document": "{}", "signature": "", "key": "k", "algorithm": "a"}', "signature: "),
    ],
)
def test_what_is_no_signed_release_is_said(s3: Any, body: str, said: str) -> None:
    s3.put_object(Bucket=BUCKET, Key="proposals/auto-mpg/run-1.json", Body=body.encode())
    with pytest.raises(ReleaseError, match=rf"s3://artifacts/proposals/auto-mpg/run-1\.json: {said}"):
        list_proposals(s3, BUCKET, "auto-mpg")


def test_both_readings_of_what_is_signed_name_the_document(s3: Any) -> None:
    propose(s3, 1)
    (proposal,) = list_proposals(s3, BUCKET, "auto-mpg")
    digest = hashlib.sha256(proposal.document.encode()).hexdigest().encode()
    assert proposal.signed_messages == (base64.b64encode(digest), digest)
    assert message(proposal.document) != message(proposal.document + " ")


def test_the_closest_proposal_says_what_would_be_right(s3: Any) -> None:
    propose(s3, 1)
    propose(s3, 2)
    found = list_proposals(s3, BUCKET, "auto-mpg")
    edited = release(2).model_copy(update={"package": release(7).package})
    best = closest(found, edited)
    assert best is not None
    assert best.execution == "run-2"
    stranger = release(8).model_copy(update={"manifest_sha256": "f" * 64})
    assert closest(found, stranger) is None
