"""Images go through ECR's own calls and come back as what can be run."""

import sys
from pathlib import Path
from typing import Any

import pytest

from infra.names import Names
from infra.sources import content_tag
from rehearsal import images
from rehearsal.aws.images import Image, command

PROJECT = Path(__file__).resolve().parents[3]
NAMES = {"project": "drivetrain", "stack": "local", "region": "eu-west-1"}


@pytest.mark.slow
def test_the_same_sources_are_pushed_once(account: Any) -> None:
    ecr = account.client("ecr")
    names = Names(account_id=account.account_id, **NAMES)
    repository = names.repository("training")
    ecr.create_repository(repositoryName=repository, imageTagMutability="IMMUTABLE")
    digest = images.push(PROJECT, "training", names, account.environment)
    assert images.push(PROJECT, "training", names, account.environment) == digest
    tag = content_tag(PROJECT, "training")
    answer = ecr.batch_get_image(repositoryName=repository, imageIds=[{"imageTag": tag}])
    assert [found["imageId"] for found in answer["images"]] == [{"imageDigest": digest, "imageTag": tag}]
    assert len(ecr.list_images(repositoryName=repository)["imageIds"]) == 1


@pytest.mark.parametrize(
    ("entrypoint", "words"),
    [
        (None, [sys.executable, "-m", "training", "train"]),
        (["python3", "-m", "training"], [sys.executable, "-m", "training", "train"]),
        (["/usr/bin/env", "x"], ["/usr/bin/env", "x", "train"]),
    ],
)
def test_python_is_this_interpreter(tmp_path: Path, entrypoint: list[str] | None, words: list[str]) -> None:
    image = Image(digest="sha256:1", root=tmp_path, entrypoint=("python", "-m", "training"), environment={})
    assert command(image, entrypoint, ["train"]) == words
