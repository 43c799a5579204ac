"""A stack for a pull request: made by its label in dev's account, removed when it is closed."""

from typing import Any

import pytest

from tests.workflows.act import Run
from tests.workflows.test_watching import request_from
from tests.workflows.world import World

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def labelled(world: World, first_merge: Run) -> tuple[dict[str, Any], Run]:
    """The pull request with its label, and the run that makes its stack."""
    assert first_merge.green, first_merge.text
    head = world.git("rev-parse", "HEAD")
    payload: dict[str, Any] = request_from(world, head, head) | {"action": "labeled"}
    payload["pull_request"]["labels"] = [{"name": "ephemeral-stack"}]
    return payload, world.run("pull_request", payload, "teardown")


def test_the_label_makes_a_stack_beside_dev(world: World, labelled: tuple[dict[str, Any], Run]) -> None:
    run = labelled[1]
    assert (run.result("create"), run.result("remove"), run.result("expire")) == ("success", "skipped", "skipped"), (
        run.text
    )
    assert _buckets(world)


def test_what_dev_has_once_stays_with_dev(world: World, labelled: tuple[dict[str, Any], Run]) -> None:
    assert labelled[1].green
    settings = world.client("dev", "lakeformation").get_data_lake_settings()["DataLakeSettings"]
    administrators = [each["DataLakePrincipalIdentifier"].rpartition("/")[2] for each in settings["DataLakeAdmins"]]
    assert administrators == ["drivetrain-dev-deploy", "drivetrain-pr-deploy"]


def test_closing_the_request_removes_all_of_it(world: World, labelled: tuple[dict[str, Any], Run]) -> None:
    run = world.run("pull_request", labelled[0] | {"action": "closed"}, "teardown")
    assert (run.result("create"), run.result("remove")) == ("skipped", "success"), run.text
    assert _buckets(world) == []
    state = world.client("dev", "s3").list_objects_v2(
        Bucket=world.settings("dev").names.state_bucket, Prefix=".pulumi/stacks/drivetrain/pr-7.json"
    )
    assert [each["Key"] for each in state.get("Contents", []) if each["Key"].endswith("pr-7.json")] == []


def test_what_nobody_pushed_to_is_looked_for_every_day(world: World, first_merge: Run) -> None:
    run = world.run("schedule", {"schedule": "43 3 * * *"}, "teardown")
    assert run.result("expire") == "success", run.text
    assert "older than 7 days" in run.text


def _buckets(world: World) -> list[str]:
    found = world.client("dev", "s3").list_buckets()["Buckets"]
    return [bucket["Name"] for bucket in found if bucket["Name"].startswith("drivetrain-pr-7-")]
