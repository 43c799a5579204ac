"""A green merge reaches production: three accounts that hold nothing but their bootstrap, and one push to main."""

import json
from pathlib import Path

import pytest

from tests.workflows.act import Run
from tests.workflows.world import STACKS, World

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.mark.parametrize("stack", STACKS)
def test_every_stack_is_applied_and_proven(world: World, first_merge: Run, stack: str) -> None:
    assert first_merge.result(f"deploy {stack}") == "success", first_merge.text
    for command in ("deployed in", "holds"):
        assert any(f"deploy {stack}]" in line and command in line for line in first_merge.text.splitlines())


def test_the_run_is_green(first_merge: Run) -> None:
    assert first_merge.green, first_merge.text
    assert set(first_merge.jobs.values()) == {"success"}


def test_dev_comes_before_staging_and_staging_before_production(first_merge: Run) -> None:
    begun = [first_merge.text.index(f"deploy {stack}] ⭐ Run Set up job") for stack in STACKS]
    ended = [first_merge.text.index(f"deploy {stack}] 🏁") for stack in STACKS]
    assert begun[0] < ended[0] < begun[1] < ended[1] < begun[2] < ended[2]


@pytest.mark.parametrize("stack", STACKS)
def test_the_stack_holds_the_commit_that_was_merged(world: World, first_merge: Run, stack: str) -> None:
    assert first_merge.green
    bucket = world.settings(stack).names.bucket("artifacts")
    note = json.load(world.client(stack, "s3").get_object(Bucket=bucket, Key="deployments/proven.json")["Body"])
    assert note["commit"] == world.merged
    assert note["run"].startswith("https://github.com/example/drivetrain/actions/runs/")


@pytest.mark.parametrize("stack", STACKS)
def test_the_same_images_are_in_every_registry_and_signed_there(world: World, first_merge: Run, stack: str) -> None:
    assert first_merge.green
    found = {each: _digests(world, each) for each in ("dev", stack)}
    assert found[stack] == found["dev"]
    done = world.drivetrain(stack, "images", "verify", "--stack", stack)
    assert done.returncode == 0, done.stderr


def test_provenance_and_contents_are_attested(world: World, first_merge: Run) -> None:
    assert first_merge.green
    for digest in _digests(world, "dev").values():
        folder = world.folder / "attestations" / digest.removeprefix("sha256:")
        provenance = json.loads((folder / "slsaprovenance1.json").read_text())
        assert provenance["buildDefinition"]["resolvedDependencies"][0]["digest"]["gitCommit"] == world.merged
        assert json.loads((folder / "spdxjson.json").read_text())["packages"]


def test_the_wheels_of_the_jobs_are_where_the_jobs_look(world: World, first_merge: Run) -> None:
    assert first_merge.green
    for stack in STACKS:
        bucket = world.settings(stack).names.bucket("artifacts")
        listed = world.client(stack, "s3").list_objects_v2(Bucket=bucket, Prefix="glue/wheels/")["Contents"]
        assert [Path(each["Key"]).suffixes for each in listed] == [[".gluewheels", ".zip"]]


def test_no_secret_is_in_the_log(first_merge: Run) -> None:
    assert "AWS_SECRET_ACCESS_KEY=***" in first_merge.text or "AWS_SECRET_ACCESS_KEY" not in first_merge.text


def _digests(world: World, stack: str) -> dict[str, str]:
    names, ecr = world.settings(stack).names, world.client(stack, "ecr")
    found: dict[str, str] = {}
    for image in ("training", "serving"):
        for each in ecr.describe_images(repositoryName=names.repository(image))["imageDetails"]:
            if any(tag.startswith("src-") for tag in each.get("imageTags", [])):
                found[image] = each["imageDigest"]
    return found
