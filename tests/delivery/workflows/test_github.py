"""One comment, one issue, one pull request: written once, then edited. `gh` is a script that keeps what it was told."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from delivery.workflows.github import MAXIMUM_BODY, GitHub, merged_reports
from delivery.workflows.workflow import WorkflowError

REPOSITORY = "example/drivetrain"
STANDIN = Path(__file__).resolve().parents[2] / "workflows" / "standins" / "gh.py"


class Kept:
    """What GitHub holds."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __getitem__(self, kind: str) -> list[dict[str, Any]]:
        return json.loads(self._path.read_text())[kind]


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kept:
    state: dict[str, Any] = {"comments": [], "issues": [], "pulls": [], "pull_request": 7, "first_number": 100}
    (tmp_path / "state.json").write_text(json.dumps(state))
    gh = tmp_path / "gh"
    gh.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{STANDIN}" "$@"\n')
    gh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("REHEARSED_GITHUB", str(tmp_path / "state.json"))
    monkeypatch.setenv("REHEARSED_PERMISSIONS", '{"pull-requests": "write", "issues": "write"}')
    monkeypatch.setenv("GITHUB_REPOSITORY", REPOSITORY)
    monkeypatch.setenv("GH_TOKEN", "job-token")
    return Kept(tmp_path / "state.json")


pytestmark = pytest.mark.slow  # each call is a process


def test_a_comment_is_edited_and_not_repeated(kept: Kept) -> None:
    github = GitHub(repository=REPOSITORY)
    assert github.upsert_comment(7, "preview", "one") == "written"
    assert github.upsert_comment(7, "preview", "two") == "edited"
    (comment,) = kept["comments"]
    assert comment["body"].endswith("two")
    assert github.upsert_comment(8, "preview", "of another request") == "written"


def test_a_comment_that_is_too_long_is_cut_and_says_so(kept: Kept) -> None:
    GitHub(repository=REPOSITORY).upsert_comment(7, "preview", "x" * 2 * MAXIMUM_BODY)
    body = kept["comments"][0]["body"]
    assert len(body) == MAXIMUM_BODY
    assert "cut here" in body


def test_one_issue_is_opened_edited_and_closed(kept: Kept) -> None:
    github = GitHub(repository=REPOSITORY)
    assert github.close_issue("drift", "nothing") is False
    assert github.upsert_issue("drift", "dev", "one") == "opened"
    assert github.upsert_issue("drift", "dev, staging", "two") == "edited"
    (issue,) = kept["issues"]
    assert (issue["title"], issue["state"]) == ("dev, staging", "open")
    assert github.close_issue("drift", "as declared") is True
    assert kept["issues"][0]["state"] == "closed"
    assert github.upsert_issue("drift", "dev", "again") == "opened"


def test_a_pull_request_of_the_app_merges_itself(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GH_TOKEN", "ghs_app_x")
    github = GitHub(repository=REPOSITORY)
    address = github.propose("release/x", "Release x", "text")
    assert github.propose("release/x", "Release x", "text") == address
    (pull,) = kept["pulls"]
    assert pull["auto_merge"] is True


def test_what_github_refuses_is_told_as_it_says_it(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REHEARSED_PERMISSIONS", "{}")
    with pytest.raises(WorkflowError, match="Resource not accessible by integration"):
        GitHub(repository=REPOSITORY).upsert_comment(7, "preview", "one")
    assert kept["comments"] == []


def test_without_gh_the_message_says_where_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(WorkflowError, match=r"cli\.github\.com"):
        GitHub(repository=REPOSITORY).upsert_comment(7, "preview", "one")


def test_a_report_that_never_came_is_none(tmp_path: Path) -> None:
    (tmp_path / "dev.md").write_text("text")
    assert merged_reports(tmp_path, ["dev", "staging"]) == {"dev": "text", "staging": None}
