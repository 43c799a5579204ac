"""What a workflow reads of the checkout, and what it is told when something is missing."""

from pathlib import Path

import pytest

from delivery.workflows.workflow import (
    WorkflowError,
    check_repository,
    connection_outputs,
    failure_advice,
    missing_message,
    pulumi_version,
    run_url,
    write_summary,
)
from infra.settings import GitHubSettings, Settings, load_settings
from infra.sources import project_directory

ROOT = project_directory()
REPOSITORY = "example/drivetrain"


@pytest.fixture
def settings() -> Settings:
    return load_settings(ROOT, "staging").model_copy(update={"github": GitHubSettings(repository=REPOSITORY)})


@pytest.mark.parametrize("role", ["deploy", "preview", "promotion"])
def test_a_job_takes_the_role_that_the_bootstrap_makes(settings: Settings, role: str) -> None:
    found = connection_outputs(settings, role, ROOT)  # type: ignore[arg-type]
    assert found["role"] == f"arn:aws:iam::{settings.account_id}:role/drivetrain/drivetrain-staging-{role}"
    assert (found["region"], found["account"]) == (settings.region, settings.account_id)
    assert (found["bootstrapped"], found["pull-request-stacks"]) == ("true", "false")


def test_a_stack_that_names_no_repository_is_not_bootstrapped(settings: Settings) -> None:
    found = connection_outputs(settings.model_copy(update={"github": None}), "preview", ROOT)
    assert (found["bootstrapped"], found["pull-request-stacks"]) == ("false", "false")


def test_the_command_line_of_pulumi_is_of_the_version_of_its_library() -> None:
    lock = (ROOT / "requirements" / "infra.lock").read_text()
    assert f"pulumi=={pulumi_version(ROOT)} " in lock


def test_a_lock_without_pulumi_is_said(tmp_path: Path) -> None:
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "delivery.lock").write_text("boto3==1.0\n")
    with pytest.raises(WorkflowError, match="make lock"):
        pulumi_version(tmp_path)


def test_a_run_of_another_repository_is_refused_with_what_to_write(settings: Settings) -> None:
    check_repository(settings, {"GITHUB_REPOSITORY": REPOSITORY})
    with pytest.raises(WorkflowError, match=r"Pulumi\.staging\.yaml .* example/fork") as caught:
        check_repository(settings, {"GITHUB_REPOSITORY": "example/fork"})
    assert "drivetrain bootstrap staging" in str(caught.value)


def test_what_is_set_is_not_missing() -> None:
    assert missing_message(["A"], {"A": "x"}, "to deploy") == ""


def test_a_missing_secret_and_a_missing_variable_are_named_with_where_they_are_set() -> None:
    message = missing_message(["APP_PRIVATE_KEY", "APP_CLIENT_ID", "MODEL"], {"MODEL": "x"}, "to release")
    assert message.startswith("APP_PRIVATE_KEY and APP_CLIENT_ID are missing, needed to release")
    assert "gh secret set APP_PRIVATE_KEY" in message
    assert "gh variable set APP_CLIENT_ID" in message
    assert "MODEL" not in message


def test_an_empty_variable_counts_as_missing() -> None:
    """GitHub hands on a secret that is not there as an empty text."""
    assert missing_message(["A"], {"A": ""}, "to deploy").startswith("A is missing")


@pytest.mark.parametrize(
    ("stack", "said"),
    [
        ("dev", "Staging and production are untouched"),
        ("staging", "Production is untouched"),
        ("production", "says why.\n"),
    ],
)
def test_a_failure_says_what_is_untouched(stack: str, said: str) -> None:
    assert said in failure_advice(stack, {"GITHUB_SHA": "0123456789abcdef"})


def test_a_failure_says_how_to_go_back() -> None:
    advice = failure_advice("dev", {"GITHUB_SHA": "0123456789abcdef"})
    assert "git revert 0123456789ab" in advice
    assert "drivetrain lock show dev" in advice


def test_the_summary_is_added_to(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    write_summary("one\n", {"GITHUB_STEP_SUMMARY": str(summary)})
    write_summary("two", {"GITHUB_STEP_SUMMARY": str(summary)})
    write_summary("nowhere", {})
    assert summary.read_text() == "one\ntwo\n"


def test_the_address_of_a_run() -> None:
    environment = {"GITHUB_SERVER_URL": "https://g", "GITHUB_REPOSITORY": "a/b", "GITHUB_RUN_ID": "5"}
    assert run_url(environment) == "https://g/a/b/actions/runs/5"
    assert run_url({}) == ""
