"""A proposal becomes a release only when its artefact is the one that was evaluated."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from models.release import Release, ReleaseError, load_releases
from pipelines.proposals import adopt, list_proposals, verify_artefact

BUCKET = "artifacts"
ARTEFACT = b"a model"


def release(version: int, artefact: bytes = ARTEFACT) -> Release:
    return Release(
        package=f"arn:aws:sagemaker:eu-west-1:111111111111:model-package/group/{version}",
        artefact=f"s3://{BUCKET}/models/{version}/model.tar.gz",
        artefact_sha256=hashlib.sha256(artefact).hexdigest(),
        manifest_sha256="b" * 64,
        image="registry/serving@sha256:" + "c" * 64,
        snapshot="8204377395012438743",
        commit="0123abc",
        metrics={"mae": 1.9},
    )


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        client: Any = boto3.Session(region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b").client(
            "s3"
        )
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        yield client


def propose(s3: Any, version: int) -> None:
    proposed = release(version)
    s3.put_object(Bucket=BUCKET, Key=f"models/{version}/model.tar.gz", Body=ARTEFACT)
    s3.put_object(Bucket=BUCKET, Key=f"proposals/auto-mpg/run-{version}.json", Body=proposed.model_dump_json())


def test_proposals_are_those_of_the_model(s3: Any) -> None:
    propose(s3, 1)
    propose(s3, 2)
    s3.put_object(Bucket=BUCKET, Key="proposals/other/run-3.json", Body=release(3).model_dump_json())
    assert {proposal.execution for proposal in list_proposals(s3, BUCKET, "auto-mpg")} == {"run-1", "run-2"}
    assert list_proposals(s3, BUCKET, "nothing") == []


def test_a_proposal_that_is_no_release_is_said(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="proposals/auto-mpg/run-1.json", Body=b'{"package": 3}')
    with pytest.raises(ReleaseError, match=r"s3://artifacts/proposals/auto-mpg/run-1\.json: package: .*valid string"):
        list_proposals(s3, BUCKET, "auto-mpg")


def test_adopting_keeps_the_other_models(s3: Any, tmp_path: Path) -> None:
    file = tmp_path / "local.toml"
    propose(s3, 1)
    (proposal,) = list_proposals(s3, BUCKET, "auto-mpg")
    assert adopt(s3, file, "another", proposal)
    assert adopt(s3, file, "auto-mpg", proposal)
    assert load_releases(file) == {"another": release(1), "auto-mpg": release(1)}
    assert not adopt(s3, file, "auto-mpg", proposal)


def test_a_changed_artefact_is_refused_and_the_file_stays(s3: Any, tmp_path: Path) -> None:
    file = tmp_path / "local.toml"
    propose(s3, 1)
    (first,) = list_proposals(s3, BUCKET, "auto-mpg")
    adopt(s3, file, "auto-mpg", first)
    before = file.read_bytes()
    propose(s3, 2)
    s3.put_object(Bucket=BUCKET, Key="models/2/model.tar.gz", Body=b"another model")
    changed = next(found for found in list_proposals(s3, BUCKET, "auto-mpg") if found.execution == "run-2")
    with pytest.raises(ReleaseError, match="changed after it was evaluated"):
        adopt(s3, file, "auto-mpg", changed)
    assert file.read_bytes() == before


def test_a_missing_artefact_is_said(s3: Any) -> None:
    with pytest.raises(ReleaseError, match=r"s3://artifacts/models/9/model\.tar\.gz: .* not there"):
        verify_artefact(s3, release(9))
