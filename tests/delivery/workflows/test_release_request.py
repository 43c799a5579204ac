"""The release files as one pull request: a branch named by its content, pushed, and merged by GitHub when green."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from delivery.workflows.github import GitHub
from delivery.workflows.release_request import propose_release
from delivery.workflows.workflow import WorkflowError
from models.release import Release, write_releases

pytestmark = pytest.mark.slow
STANDIN = Path(__file__).resolve().parents[2] / "workflows" / "standins" / "gh.py"
RELEASE = Release(
    package="arn:aws:sagemaker:eu-west-1:222222222222:model-package/drivetrain-dev-auto-mpg/1",
    artefact="s3://b/models/auto-mpg/x/output/model.tar.gz",
    artefact_sha256="0" * 64,
    manifest_sha256="0" * 64,
    image=f"r/i@sha256:{'0' * 64}",
    snapshot="1",
    commit="0" * 40,
    metrics={"mae": 1.9},
)


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.com")
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone, whose remote on GitHub is a bare repository here."""
    state: dict[str, Any] = {"comments": [], "issues": [], "pulls": [], "pull_request": 7, "first_number": 100}
    (tmp_path / "state.json").write_text(json.dumps(state))
    (tmp_path / "gh").write_text(f'#!/bin/sh\nexec "{sys.executable}" "{STANDIN}" "$@"\n')
    (tmp_path / "gh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("REHEARSED_GITHUB", str(tmp_path / "state.json"))
    monkeypatch.setenv("GITHUB_REPOSITORY", "example/drivetrain")
    monkeypatch.setenv("GH_TOKEN", "ghs_app_x")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.file://{tmp_path}/origin.git.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "https://github.com/example/drivetrain")
    git(tmp_path, "init", "--quiet", "--bare", "origin.git")
    git(tmp_path, "init", "--quiet", "clone")
    write_releases(tmp_path / "clone" / "releases" / "dev.toml", {})
    git(tmp_path / "clone", "add", "--all")
    git(tmp_path / "clone", "commit", "--quiet", "--message", "before")
    return tmp_path / "clone"


def propose(clone: Path, model: str = "auto-mpg") -> str:
    return propose_release(
        clone,
        clone / "releases",
        model,
        github=GitHub(repository="example/drivetrain"),
        remote="https://github.com/example/drivetrain",
        token="ghs_app_x",
    )


def test_the_branch_holds_the_release_and_the_request_says_what_it_is(clone: Path) -> None:
    write_releases(clone / "releases" / "dev.toml", {"auto-mpg": RELEASE})
    address = propose(clone)
    (pull,) = json.loads((clone.parent / "state.json").read_text())["pulls"]
    assert pull["html_url"] == address
    assert "| dev | `model-package/drivetrain-dev-auto-mpg/1` | 1 | mae 1.9 |" in pull["body"]
    pushed = git(clone.parent / "origin.git", "show", f"{pull['head']}:releases/dev.toml")
    assert RELEASE.artefact_sha256 in pushed


def test_what_is_released_already_is_not_proposed(clone: Path) -> None:
    assert propose(clone) == ""
    assert git(clone.parent / "origin.git", "branch", "--list") == ""


def test_a_newer_release_closes_the_requests_of_older_ones_of_its_model_only(clone: Path) -> None:
    # `auto` is another model, though its branch begins as this one's does.
    for model, release in (("auto-mpg", "1"), ("auto-mpg-2", "1"), ("auto", "1"), ("auto-mpg", "2"), ("auto-mpg", "2")):
        git(clone, "reset", "--quiet", "--hard", git(clone, "rev-list", "--max-parents=0", "HEAD"))
        write_releases(clone / "releases" / "dev.toml", {model: RELEASE.model_copy(update={"snapshot": release})})
        propose(clone, model)
    state = json.loads((clone.parent / "state.json").read_text())
    assert [(each["title"], each["state"]) for each in state["pulls"]] == [
        ("Release auto-mpg", "closed"),
        ("Release auto-mpg-2", "open"),
        ("Release auto", "open"),
        ("Release auto-mpg", "open"),
    ]
    first, last = state["pulls"][0], state["pulls"][-1]
    (comment,) = state["comments"]
    assert (comment["issue"], comment["body"]) == (first["number"], f"Superseded by `{last['head']}`.")


def test_the_token_is_left_nowhere(clone: Path) -> None:
    write_releases(clone / "releases" / "dev.toml", {"auto-mpg": RELEASE})
    propose(clone)
    held = [file for file in clone.rglob("*") if file.is_file() and b"ghs_app_x" in file.read_bytes()]
    assert held == []


def test_a_push_that_is_refused_opens_no_request(clone: Path) -> None:
    write_releases(clone / "releases" / "dev.toml", {"auto-mpg": RELEASE})
    (clone.parent / "origin.git" / "HEAD").unlink()
    with pytest.raises(WorkflowError, match="git push"):
        propose(clone)
    assert json.loads((clone.parent / "state.json").read_text())["pulls"] == []
