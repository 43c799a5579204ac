"""What is wrong is told by the run that it is wrong for, before anything is touched."""

from typing import Any

import pytest

from tests.workflows.world import World

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
APP = {"RELEASES_APP_PRIVATE_KEY": "-----BEGIN RSA PRIVATE KEY-----"}
CLIENT = {"RELEASES_APP_CLIENT_ID": "Iv1.0123456789abcdef"}


def proposed(model: str = "auto-mpg") -> dict[str, Any]:
    """What EventBridge sends to GitHub."""
    return {"action": "release-proposed", "client_payload": {"model": model, "stack": "dev", "execution": ""}}


@pytest.mark.parametrize(
    ("secrets", "variables", "missing", "hint"),
    [
        ({}, CLIENT, "RELEASES_APP_PRIVATE_KEY is missing", "gh secret set RELEASES_APP_PRIVATE_KEY"),
        (APP, {}, "RELEASES_APP_CLIENT_ID is missing", "gh variable set RELEASES_APP_CLIENT_ID"),
    ],
)
def test_a_missing_secret_or_variable_is_named(
    world: World, secrets: dict[str, str], variables: dict[str, str], missing: str, hint: str
) -> None:
    run = world.run("repository_dispatch", proposed(), "release", secrets=secrets, variables=variables)
    assert (run.green, run.result("ready"), run.result("verify")) == (False, "failure", "skipped")
    assert missing in run.text
    assert hint in run.text


def test_an_environment_without_a_stack_file_is_named(world: World) -> None:
    before = world.git("rev-parse", "HEAD")
    (world.checkout / "Pulumi.dev.yaml").rename(world.checkout / "Pulumi.develop.yaml")
    after = world.commit("A stack by another name", branch="renamed")
    world.git("reset", "--quiet", "--hard", before)
    run = world.deploy(before, after)
    assert not run.green
    assert "unknown stack 'dev': there is no Pulumi.dev.yaml; stacks are: develop" in run.text
    assert run.result("deploy dev") == "skipped"


def test_a_run_of_another_repository_gets_no_role(world: World) -> None:
    """A fork that runs the same workflows: its settings say whose stack it is, and AWS would not trust it either."""
    run = world.run("schedule", {"schedule": "17 4 * * *"}, "drift", extra={"GITHUB_REPOSITORY": "other/drivetrain"})
    assert not run.green
    assert (
        "Pulumi.dev.yaml says that github.repository is example/drivetrain, but this run is of other/drivetrain"
        in run.text
    )
    assert "assumed" not in run.text


def test_a_fork_gets_no_preview_and_is_told_why(world: World) -> None:
    request = {"number": 7, "head": {"repo": {"full_name": "other/drivetrain"}, "ref": "x", "sha": "0"}}
    request["base"] = {"ref": "main", "sha": world.git("rev-parse", "HEAD")}
    run = world.run("pull_request", {"action": "opened", "number": 7, "pull_request": request}, "preview")
    assert run.green, run.text
    assert "comes from a fork, which gets no credentials" in run.text
    assert (run.result("fork"), run.result("preview dev"), run.result("comment")) == ("success", "skipped", "skipped")


def test_a_release_of_an_unknown_model_is_refused(world: World, first_merge: object) -> None:
    run = world.run("repository_dispatch", proposed("auto-mgp"), "release", secrets=APP, variables=CLIENT)
    assert (run.result("verify"), run.result("promote to staging"), run.result("propose")) == (
        "failure",
        "skipped",
        "skipped",
    )
    assert "unknown model 'auto-mgp'" in run.text
    assert world.state_of_github["pulls"] == []


def test_a_release_that_nobody_proposed_is_refused(world: World, first_merge: object) -> None:
    run = world.run("repository_dispatch", proposed(), "release", secrets=APP, variables=CLIENT)
    assert (run.result("verify"), run.result("propose")) == ("failure", "skipped")
    assert "no proposal for auto-mpg" in run.text
    assert world.state_of_github["pulls"] == []
