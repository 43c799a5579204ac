"""The commit that a stack holds: what came since, and an old run that is started again."""

import io
import subprocess
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from delivery.workflows.deployed import DEPLOYED_KEY, Deployed, commit_id, commits_since, note_deployed, read_deployed
from delivery.workflows.workflow import WorkflowError


class Bucket:
    """The two calls of S3 that a note takes."""

    def __init__(self, code: str = "NoSuchKey") -> None:
        self._code, self.objects = code, dict[str, bytes]()

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        if Key not in self.objects:
            raise ClientError({"Error": {"Code": self._code}}, "GetObject")
        return {"Body": io.BytesIO(self.objects[Key])}

    def put_object(self, Bucket: str, Key: str, Body: bytes, ContentType: str) -> None:
        self.objects[Key] = Body


@pytest.fixture
def repository(tmp_path: Path) -> tuple[Path, list[str]]:
    """Three commits, one after the other."""

    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=A", "-c", "user.email=a@example.com")
        done = subprocess.run(["git", *identity, *arguments], cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    git("init", "--quiet")
    commits: list[str] = []
    for number in range(3):
        git("commit", "--quiet", "--allow-empty", "--message", str(number))
        commits.append(git("rev-parse", "HEAD"))
    return tmp_path, commits


def test_a_stack_that_was_never_deployed_gets_the_commit_alone(repository: tuple[Path, list[str]]) -> None:
    folder, commits = repository
    assert commits_since(folder, "dev", None) == f"{commits[2]}^!"


def test_everything_since_the_last_deployment_is_brought(repository: tuple[Path, list[str]]) -> None:
    """Also what a failed deployment in between left out."""
    folder, commits = repository
    assert commits_since(folder, "dev", Deployed(commit=commits[0])) == f"{commits[0]}..{commits[2]}"


def test_the_same_commit_again_is_no_mistake(repository: tuple[Path, list[str]]) -> None:
    folder, commits = repository
    assert commits_since(folder, "dev", Deployed(commit=commits[2])) == f"{commits[2]}..{commits[2]}"


def test_an_old_run_does_not_take_back_what_came_since(repository: tuple[Path, list[str]]) -> None:
    folder, commits = repository
    subprocess.run(["git", "checkout", "--quiet", commits[1]], cwd=folder, check=True)
    with pytest.raises(WorkflowError, match=f"staging holds {commits[2][:12]}, which is later than {commits[1][:12]}"):
        commits_since(folder, "staging", Deployed(commit=commits[2]))


def test_a_commit_that_history_lost_stops_nothing(repository: tuple[Path, list[str]]) -> None:
    folder, commits = repository
    assert commits_since(folder, "dev", Deployed(commit="0" * 40)) == f"{commits[2]}^!"


def test_a_note_is_read_as_it_was_written(repository: tuple[Path, list[str]]) -> None:
    bucket, note = Bucket(), Deployed(commit=commit_id(repository[0], "HEAD"), run="https://g/runs/1")
    note_deployed(bucket, "artifacts", note)
    assert read_deployed(bucket, "artifacts") == note


@pytest.mark.parametrize("code", ["NoSuchKey", "NoSuchBucket"])
def test_before_the_first_deployment_there_is_neither_note_nor_bucket(code: str) -> None:
    assert read_deployed(Bucket(code), "artifacts") is None


def test_what_may_not_be_read_is_no_missing_note() -> None:
    with pytest.raises(ClientError):
        read_deployed(Bucket("AccessDenied"), "artifacts")


def test_a_broken_note_is_named() -> None:
    bucket = Bucket()
    bucket.objects[DEPLOYED_KEY] = b"{}"
    with pytest.raises(WorkflowError, match=f"s3://artifacts/{DEPLOYED_KEY}"):
        read_deployed(bucket, "artifacts")
