"""What only looks: the preview of a pull request, drift, and two deployments of one stack at once."""

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.workflows.act import Run
from tests.workflows.world import REPOSITORY, World

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


def request_from(world: World, base: str, head: str) -> dict[str, Any]:
    """The event of a pull request of this repository."""
    request = {
        "number": 7,
        "labels": [],
        "head": {"repo": {"full_name": REPOSITORY}, "ref": "change", "sha": head},
        "base": {"ref": "main", "sha": base},
    }
    return {"action": "synchronize", "number": 7, "pull_request": request}


@pytest.fixture(scope="module")
def previews(world: World, first_merge: Run) -> tuple[Run, Run]:
    """A pull request that keeps logs longer in dev, previewed at its opening and again after a push."""
    assert first_merge.green, first_merge.text
    base = world.git("rev-parse", "HEAD")
    file = world.checkout / "Pulumi.dev.yaml"
    file.write_text(file.read_text().replace("log_retention_days: 365", "log_retention_days: 731"))
    head = world.commit("Keep the logs of dev for two years", branch="change")
    world.git("reset", "--quiet", "--hard", base)
    payload = request_from(world, base, head)
    only = {"matrix": {"stack": "dev"}, "commit": head}
    return (
        world.run("pull_request", payload, "preview", **only),
        world.run("pull_request", payload, "preview", **only),
    )


def test_the_comment_says_what_changes_what_the_gate_says_and_what_it_costs(
    world: World, previews: tuple[Run, Run]
) -> None:
    assert previews[0].result("preview dev") == "success", previews[0].text
    (comment,) = world.state_of_github["comments"]
    assert comment["body"].startswith("<!-- drivetrain:preview -->\n### dev: ")
    assert "changed" in comment["body"]
    assert "The gate lets it pass" in comment["body"]
    assert "month" in comment["body"]


def test_the_comment_is_edited_and_not_repeated(world: World, previews: tuple[Run, Run]) -> None:
    assert previews[1].green, previews[1].text
    (comment,) = world.state_of_github["comments"]
    assert comment["edits"] == 1


def test_a_stack_without_a_preview_is_said_to_have_none(world: World, previews: tuple[Run, Run]) -> None:
    """Only dev was previewed here."""
    assert previews[1].green
    assert "## staging\n\nNo preview: its job failed" in world.state_of_github["comments"][0]["body"]


def test_a_preview_changes_nothing(world: World, previews: tuple[Run, Run]) -> None:
    assert previews[1].green
    groups = world.client("dev", "logs").describe_log_groups()["logGroups"]
    assert {group.get("retentionInDays") for group in groups} == {365}


@pytest.fixture(scope="module")
def drifted(world: World, first_merge: Run) -> tuple[Run, Run]:
    """Somebody changes a queue of dev by hand, and drift is looked for twice."""
    assert first_merge.green, first_merge.text
    sqs = world.client("dev", "sqs")
    (address, *_) = sqs.list_queues()["QueueUrls"]
    sqs.set_queue_attributes(QueueUrl=address, Attributes={"MessageRetentionPeriod": "60"})
    only = {"matrix": {"stack": "dev"}}
    runs = [world.run("schedule", {"schedule": "17 4 * * *"}, "drift", **only) for _ in range(2)]
    return runs[0], runs[1]


def test_a_change_by_hand_is_found(world: World, drifted: tuple[Run, Run]) -> None:
    assert drifted[0].result("drift of dev") == "success", drifted[0].text
    assert "messageRetentionSeconds" in drifted[0].text


def test_one_issue_is_opened_and_then_edited(world: World, drifted: tuple[Run, Run]) -> None:
    assert drifted[1].green, drifted[1].text
    (issue,) = world.state_of_github["issues"]
    assert issue["state"] == "open"
    assert issue["edits"] >= 1
    assert "dev" in issue["title"]
    assert "messageRetentionSeconds" in issue["body"]


@pytest.fixture
def locked(world: World, first_merge: Run) -> Iterator[str]:
    """Dev is being deployed by the run of another merge."""
    assert first_merge.green, first_merge.text
    s3, bucket = world.client("dev", "s3"), world.settings("dev").names.state_bucket
    key = f".pulumi/locks/organization/drivetrain/dev/{uuid.uuid4()}.json"
    now = datetime.now(UTC).isoformat()  # one of hours ago would be released
    lock = {"pid": 4711, "username": "runner", "hostname": "the-other-merge", "timestamp": now}
    s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(lock).encode())
    yield key
    s3.delete_object(Bucket=bucket, Key=key)


def test_of_two_merges_at_once_the_second_is_told_who_holds_the_stack(world: World, locked: str) -> None:
    """act knows no concurrency groups, which keep two runs apart on GitHub: so this is what is behind them."""
    before = _holds(world, "dev")
    run = world.merge("The second merge")
    assert (run.result("deploy dev"), run.result("deploy staging")) == ("failure", "skipped"), run.text
    assert "the-other-merge" in run.text
    assert "Staging and production are untouched" in run.text
    assert _holds(world, "dev") == before


def test_an_old_run_that_is_started_again_takes_nothing_back(world: World, first_merge: Run) -> None:
    assert first_merge.green, first_merge.text
    held = _holds(world, "dev")
    old = world.git("rev-parse", f"{held}^")
    run = world.deploy(old, old)
    assert (run.result("deploy dev"), run.result("deploy staging")) == ("failure", "skipped"), run.text
    assert f"dev holds {held[:12]}, which is later than {old[:12]} of this run" in run.text


def _holds(world: World, stack: str) -> str:
    bucket = world.settings(stack).names.bucket("artifacts")
    body = world.client(stack, "s3").get_object(Bucket=bucket, Key="deployments/proven.json")["Body"].read()
    return json.loads(body)["commit"]
