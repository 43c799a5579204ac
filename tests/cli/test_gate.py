"""`drivetrain gate` as a person or a workflow calls it, over a preview in a file."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from cli.mistakes import USER_ERRORS
from delivery.gate import AllowanceError
from delivery.pulumi.preview import PreviewError
from infra.policies import ExemptionError

URN = "urn:pulumi:dev::drivetrain::aws:s3/bucket:Bucket::raw"
STATE = {"urn": URN, "custom": True, "type": "aws:s3/bucket:Bucket", "inputs": {"bucket": "raw"}}
DELETES = {"steps": [{"op": "delete", "urn": URN, "oldState": STATE}], "changeSummary": {"delete": 1}}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "preview.json"
    path.write_text(json.dumps(DELETES))
    return path


def gate(*arguments: Any) -> Result:
    return CliRunner().invoke(app, ["gate", *map(str, arguments)])


def test_a_preview_that_is_stopped_says_why_and_what_would_allow_it(file: Path) -> None:
    done = gate(file)
    assert done.exit_code == 1
    assert "the gate stops dev:" in done.stdout
    assert "delete-data: aws:s3/bucket:Bucket::raw: is deleted" in done.stdout
    assert "Allow-change: delete-data raw" in done.stdout


def test_a_message_allows_it(file: Path, tmp_path: Path) -> None:
    message = tmp_path / "message.txt"
    message.write_text("Raw data moves\n\nAllow-change: delete-data raw because it is curated\n")
    done = gate(file, "--message-file", message)
    assert done.exit_code == 0
    assert "the gate lets dev pass" in done.stdout
    assert "allowed: delete-data: aws:s3/bucket:Bucket::raw: is deleted [Allow-change: delete-data raw" in done.stdout


def test_the_commits_of_a_range_allow_it(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    commit = [*identity, "commit", "--quiet", "--allow-empty", "-m"]
    for command in (["init", "--quiet"], [*commit, "Base"], [*commit, "Change\n\nAllow-change: delete-data raw"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    monkeypatch.setattr("cli.gate.project_directory", lambda: tmp_path)
    assert gate(file, "--commits", "HEAD^..HEAD").exit_code == 0
    assert gate(file, "--commits", "HEAD..HEAD").exit_code == 1


def test_the_verdict_as_json(file: Path) -> None:
    done = gate(file, "--json")
    assert done.exit_code == 1
    assert [each["allowance"] for each in json.loads(done.stdout)["stopped"]] == ["Allow-change: delete-data raw"]


def test_a_stack_is_previewed_now(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "pulumi"
    program.write_text(f'#!/bin/sh\necho "$@ $PULUMI_BACKEND_URL" >{tmp_path}/called\ncat {file}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("PULUMI_BACKEND_URL", "file:///state")
    done = gate("--stack", "dev")
    assert done.exit_code == 1
    assert "delete-data: aws:s3/bucket:Bucket::raw: is deleted" in done.stdout
    called = (tmp_path / "called").read_text()
    assert called.startswith("preview --json --show-sames --stack dev")
    assert called.endswith("file:///state\n")


@pytest.mark.parametrize("arguments", [[], ["preview.json", "--stack", "dev"]])
def test_either_a_file_or_a_stack(arguments: list[str]) -> None:
    done = gate(*arguments)
    assert done.exit_code == 2
    assert "give either a FILE or --stack STACK" in done.output


def test_a_preview_that_is_cut_short_or_newer_is_refused(file: Path) -> None:
    file.write_text(json.dumps(DELETES)[:-20])
    assert isinstance(gate(file).exception, PreviewError)
    file.write_text(json.dumps(DELETES).replace('"delete"', '"evaporate"'))
    refused = gate(file).exception
    assert isinstance(refused, PreviewError)
    assert "`evaporate` is not known here, a newer Pulumi made this" in str(refused)


def test_a_line_that_is_not_right_is_refused(file: Path, tmp_path: Path) -> None:
    message = tmp_path / "message.txt"
    message.write_text("Allow-change: everything raw\n")
    refused = gate(file, "--message-file", message).exception
    assert isinstance(refused, AllowanceError)
    assert str(refused).startswith(f"{message}, line 1: there is no rule 'everything'")


def test_the_error_of_exemptions_is_one_for_people() -> None:
    assert issubclass(AllowanceError, USER_ERRORS)
    assert issubclass(ExemptionError, USER_ERRORS)
