"""What holds for every workflow and action here, read from their YAML."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.checkout import ROOT
from tests.workflows import rehearsed_yaml

FILES = rehearsed_yaml.files(ROOT)
WORKFLOWS = [file for file in FILES if file.parent.name == "workflows"]
ACTIONS = Path(__file__).resolve().parent / "actions"
NAMES = {"check", "preview", "deploy", "release", "drift", "hours", "teardown", "deploy-stack", "images"}
PIN = re.compile(r"uses: (?P<action>[\w.-]+/[\w.-]+)@(?P<sha>[0-9a-f]{40}) # v\d+\.\d+\.\d+$")
LEVELS = {"read", "write", "none"}


def relative(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def jobs(file: Path) -> dict[str, dict[str, Any]]:
    return rehearsed_yaml.load(file)["jobs"]


def test_the_workflows_that_there_are() -> None:
    assert {file.stem for file in WORKFLOWS} == NAMES


@pytest.mark.parametrize("file", FILES, ids=relative)
def test_every_action_is_pinned_by_its_commit_with_the_version_beside_it(file: Path) -> None:
    for line in file.read_text().splitlines():
        if "uses:" in line and "./" not in line:
            assert PIN.search(line), line


def test_one_action_has_one_version() -> None:
    found: dict[str, set[str]] = {}
    for file in FILES:
        for line in file.read_text().splitlines():
            if match := PIN.search(line):
                found.setdefault(match["action"], set()).add(match.group(0))
    assert found
    assert {action: pins for action, pins in found.items() if len(pins) > 1} == {}


@pytest.mark.parametrize("file", FILES, ids=relative)
def test_every_input_is_one_that_the_action_has(file: Path) -> None:
    for step in rehearsed_yaml.steps(rehearsed_yaml.load(file)):
        name = step.get("uses", "").partition("@")[0]
        if not name:
            continue
        folder = ROOT / name if name.startswith("./") else ACTIONS / name.replace("/", "-")
        known: dict[str, Any] = rehearsed_yaml.load(folder / "action.yml").get("inputs") or {}
        given = set(step.get("with", {}))
        assert given <= set(known), (name, given - set(known))
        assert {key for key, about in known.items() if about.get("required")} <= given, name


@pytest.mark.parametrize("file", WORKFLOWS, ids=relative)
def test_nothing_is_permitted_but_by_the_job(file: Path) -> None:
    document = rehearsed_yaml.load(file)
    assert document["permissions"] == {}
    for name, job in document["jobs"].items():
        assert "permissions" in job, name
        assert set(job["permissions"].values()) <= LEVELS, name
        assert job["permissions"].get("contents", "read") == "read", f"{name} writes by its own token"


@pytest.mark.parametrize("file", WORKFLOWS, ids=relative)
def test_every_job_ends_in_time(file: Path) -> None:
    assert [name for name, job in jobs(file).items() if "steps" in job and "timeout-minutes" not in job] == []


@pytest.mark.parametrize("file", WORKFLOWS, ids=relative)
def test_nothing_that_runs_is_cancelled(file: Path) -> None:
    document = rehearsed_yaml.load(file)
    groups = [each["concurrency"] for each in (document, *document["jobs"].values()) if "concurrency" in each]
    assert all(group["cancel-in-progress"] is False for group in groups)


def test_what_changes_a_stack_does_so_alone() -> None:
    """Concurrency is per stack: two jobs that apply the same stack wait for each other."""
    found = {
        (file.stem, name): job["concurrency"]["group"]
        for file in WORKFLOWS
        for name, job in jobs(file).items()
        if any(
            re.search(r"drivetrain (deploy|ephemeral (create|remove)) ", str(step.get("run")))
            for step in job.get("steps", [])
        )
    }
    assert found == {
        ("deploy-stack", "deploy"): "stack-${{ inputs.stack }}",
        ("teardown", "create"): "stack-pr-${{ github.event.pull_request.number }}",
        ("teardown", "remove"): "stack-pr-${{ github.event.pull_request.number }}",
    }


@pytest.mark.parametrize("file", FILES, ids=relative)
def test_no_key_of_aws_is_stored(file: Path) -> None:
    text = file.read_text()
    assert not re.search(r"aws[-_](access|secret)", text, re.IGNORECASE)
    # The one secret is the key of the GitHub App that opens pull requests.
    assert set(re.findall(r"secrets\.(\w+)", text)) <= {"RELEASES_APP_PRIVATE_KEY"}


@pytest.mark.parametrize("file", FILES, ids=relative)
def test_a_shell_gets_values_by_its_environment_alone(file: Path) -> None:
    for step in rehearsed_yaml.steps(rehearsed_yaml.load(file)):
        assert "${{" not in str(step.get("run", "")), step["name"]


@pytest.mark.parametrize("file", FILES, ids=relative)
def test_the_token_is_not_left_in_the_clone(file: Path) -> None:
    for step in rehearsed_yaml.steps(rehearsed_yaml.load(file)):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False, step["name"]


def test_nobody_is_asked() -> None:
    """GitHub environments scope credentials; reviewers and waiting times are set nowhere."""
    for file in WORKFLOWS:
        for name, job in jobs(file).items():
            environment = job.get("environment", "")
            assert isinstance(environment, str), f"{file.name}: {name}"


def test_pull_requests_are_never_deployed_with_rights_of_the_repository() -> None:
    for file in WORKFLOWS:
        events = rehearsed_yaml.load(file)["on"]
        assert not {"pull_request_target", "workflow_run", "issue_comment"} & set(events), file.name


def test_no_stack_is_deployed_unless_the_one_before_it_was() -> None:
    """A job that is pushed out of the queue is cancelled, which is no failure: so success is asked for."""
    deploy = jobs(ROOT / ".github" / "workflows" / "deploy.yml")
    assert "needs.dev.result == 'success'" in deploy["staging"]["if"]
    assert "needs.staging.result == 'success'" in deploy["production"]["if"]
    assert "if" not in deploy["dev"]
