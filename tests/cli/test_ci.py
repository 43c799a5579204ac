"""`drivetrain ci`: what the workflows' steps print, and how they fail."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import ci
from delivery.images.build_plan import BuildPlan, provenance
from delivery.workflows.workflow import WorkflowError

RUN = {
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "example/drivetrain",
    "GITHUB_RUN_ID": "5",
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_SHA": "0123456789abcdef",
    "GITHUB_WORKFLOW": "deploy",
}


class Spoken:
    """A GitHub that only listens."""

    def __init__(self) -> None:
        self.said: list[tuple[Any, ...]] = []

    def __call__(self, repository: str) -> "Spoken":
        return self

    def upsert_comment(self, *arguments: Any) -> str:
        self.said.append(("comment", *arguments))
        return "written"

    def upsert_issue(self, *arguments: Any) -> str:
        self.said.append(("issue", *arguments))
        return "opened"

    def close_issue(self, *arguments: Any) -> bool:
        self.said.append(("closed", *arguments))
        return True


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch) -> Spoken:
    spoken = Spoken()
    monkeypatch.setattr(ci, "GitHub", spoken)
    for name, value in RUN.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    return spoken


def run(*arguments: str) -> Any:
    return CliRunner().invoke(ci.app, list(arguments))


def test_the_settings_are_outputs_of_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    lines = dict(line.split("=", 1) for line in run("settings", "staging", "--role", "deploy").stdout.splitlines())
    assert lines["role"].endswith("role/drivetrain/drivetrain-staging-deploy")
    names = {"role", "region", "account", "registry", "pulumi-version", "bootstrapped", "pull-request-stacks"}
    assert set(lines) == names
    assert (lines["bootstrapped"], lines["pull-request-stacks"]) == ("false", "false")


def test_a_stack_that_is_not_bootstrapped_has_a_report_and_opens_no_issue(github: Spoken, tmp_path: Path) -> None:
    (tmp_path / "dev.md").write_text("### dev: as declared\n")
    said = run("unready", "staging", "--out", str(tmp_path / "staging.md"))
    assert said.exit_code == 0
    assert "### staging: not bootstrapped yet" in (tmp_path / "staging.md").read_text()
    assert "drivetrain bootstrap staging" in said.output
    assert run("issue", "--reports", str(tmp_path), "--expect", "dev,staging").exit_code == 0
    assert [each[0] for each in github.said] == ["closed"]


def test_an_unknown_environment_is_refused_with_those_that_there_are() -> None:
    refused = run("settings", "stagin")
    assert refused.exit_code == 1
    assert "did you mean 'staging'" in str(refused.exception)


def test_a_missing_secret_is_an_annotation_and_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    refused = run("require", "NO_SUCH_KEY", "--purpose", "to release")
    assert isinstance(refused.exception, WorkflowError)
    assert "::error::NO_SUCH_KEY is missing, needed to release" in refused.stderr


def test_every_stack_has_its_part_of_the_comment(github: Spoken, tmp_path: Path) -> None:
    (tmp_path / "dev.md").write_text("### dev: nothing changes\n")
    assert run("comment", "7", "--reports", str(tmp_path), "--expect", "dev,staging").exit_code == 0
    ((kind, number, mark, text),) = github.said
    assert (kind, number, mark) == ("comment", 7, "preview")
    assert "### dev: nothing changes" in text
    assert "## staging\n\nNo preview: its job failed, see https://github.com/example/drivetrain/actions/runs/5" in text


def test_the_issue_is_closed_when_all_is_as_declared(github: Spoken, tmp_path: Path) -> None:
    for stack in ("dev", "staging"):
        (tmp_path / f"{stack}.md").write_text(f"### {stack}: as declared\n")
    assert run("issue", "--reports", str(tmp_path), "--expect", "dev,staging").exit_code == 0
    assert [said[0] for said in github.said] == ["closed"]


def test_a_stack_that_could_not_be_looked_at_keeps_the_issue_open(github: Spoken, tmp_path: Path) -> None:
    (tmp_path / "dev.md").write_text("### dev: as declared\n")
    assert run("issue", "--reports", str(tmp_path), "--expect", "dev,staging").exit_code == 0
    ((kind, _, title, text),) = github.said
    assert (kind, title) == ("issue", "What lives is not what git says: staging")
    assert "not known, its job failed" in text


def test_what_was_built_says_from_which_commit_and_in_which_run() -> None:
    found = provenance("example/drivetrain", RUN)
    (source,) = found["buildDefinition"]["resolvedDependencies"]
    assert source["digest"] == {"gitCommit": RUN["GITHUB_SHA"]}
    assert found["runDetails"]["metadata"]["invocationId"] == "https://github.com/example/drivetrain/actions/runs/5"


def test_a_registry_that_is_not_there_yet_lacks_nothing_yet() -> None:
    assert BuildPlan(registry_there=False).outputs == {"registry": "missing", "missing": "[]"}
