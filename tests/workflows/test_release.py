"""From training to production: a proposal is checked, promoted, merged by a pull request, and deployed stack by stack.

Staging's smoke test fails first, because its role may not ask the endpoint: production stays as it is until a re-run.
"""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from models.auto_mpg.source import fetch
from tests.workflows.act import Run
from tests.workflows.test_refused import APP, CLIENT, proposed
from tests.workflows.world import STACKS, World

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
MODEL = "auto-mpg"
NO_QUESTIONS = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Action": "sagemaker:InvokeEndpoint", "Resource": "*"}],
}


@pytest.fixture(scope="module")
def trained(world: World, first_merge: Run) -> str:
    """Data land in dev, the pipeline trains and proposes; the key of the artefact."""
    assert first_merge.green, first_merge.text
    file = world.folder / "auto_mpg.csv"
    file.write_bytes(fetch())
    done = world.drivetrain("dev", "ingest", MODEL, str(file), "--stack", "dev")
    assert done.returncode == 0, done.stdout + done.stderr
    bucket = world.settings("dev").names.bucket("artifacts")
    listed = world.client("dev", "s3").list_objects_v2(Bucket=bucket, Prefix=f"models/{MODEL}/")["Contents"]
    return next(each["Key"] for each in listed if each["Key"].endswith("model.tar.gz"))


def release(world: World) -> Run:
    return world.run("repository_dispatch", proposed(), "release", secrets=APP, variables=CLIENT)


@pytest.fixture(scope="module")
def refused(world: World, trained: str) -> Run:
    """The artefact is exchanged behind the proposal's back."""
    s3, bucket = world.client("dev", "s3"), world.settings("dev").names.bucket("artifacts")
    original = s3.get_object(Bucket=bucket, Key=trained)["Body"].read()
    s3.put_object(Bucket=bucket, Key=trained, Body=original + b"\0")
    run = release(world)
    s3.put_object(Bucket=bucket, Key=trained, Body=original)
    return run


def test_a_release_whose_artefact_was_exchanged_is_refused(world: World, refused: Run) -> None:
    assert (refused.result("verify"), refused.result("promote to staging")) == ("failure", "skipped"), refused.text
    assert "sha256" in refused.text
    assert world.state_of_github["pulls"] == []


@pytest.fixture(scope="module")
def request_of(world: World, refused: Run) -> dict[str, Any]:
    """The pull request of the release."""
    run = release(world)
    assert run.green, run.text
    (pull,) = world.state_of_github["pulls"]
    return pull


def test_the_release_is_proposed_by_a_request_that_merges_itself(request_of: dict[str, Any]) -> None:
    assert (request_of["auto_merge"], request_of["base"]) == (True, "main")
    assert request_of["head"].startswith(f"release/{MODEL}-")


def test_one_release_file_per_account_pins_the_same_artefact(world: World, request_of: dict[str, Any]) -> None:
    found = [world.git("show", f"{request_of['head']}:releases/{stack}.toml", folder=world.origin) for stack in STACKS]
    lines = [next(line for line in text.splitlines() if line.startswith("artefact_sha256")) for text in found]
    assert len(set(lines)) == 1
    assert all(world.settings(stack).account_id in text for stack, text in zip(STACKS, found, strict=True))


@dataclass(frozen=True)
class Merged:
    """The merge of the release: the run in which staging's smoke test fails, what lives then, and the re-run."""

    failed: Run
    endpoints_between: dict[str, list[str]]
    again: Run


@pytest.fixture(scope="module")
def merged(world: World, request_of: dict[str, Any]) -> Merged:
    before = world.git("rev-parse", "HEAD")
    world.git("fetch", "--quiet", "origin")
    world.git("merge", "--quiet", "--no-edit", f"origin/{request_of['head']}")
    world.git("push", "--quiet", "origin", "HEAD:main")
    commit = world.git("rev-parse", "HEAD")
    names, iam = world.settings("staging").names, world.client("staging", "iam")
    iam.put_role_policy(RoleName=names.deploy_role, PolicyName="silence", PolicyDocument=json.dumps(NO_QUESTIONS))
    failed = world.deploy(before, commit)
    between = {stack: _endpoints(world, stack) for stack in STACKS}
    iam.delete_role_policy(RoleName=names.deploy_role, PolicyName="silence")
    world.merged = commit
    return Merged(failed=failed, endpoints_between=between, again=world.deploy(before, commit))


def test_a_failing_smoke_test_in_staging_leaves_production_untouched(merged: Merged) -> None:
    run = merged.failed
    assert (run.result("deploy dev"), run.result("deploy staging")) == ("success", "failure"), run.text
    assert run.result("deploy production") == "skipped"
    assert "Production is untouched" in run.text
    assert merged.endpoints_between["dev"]
    assert merged.endpoints_between["production"] == []


def test_a_re_run_of_the_half_finished_deployment_completes_it(world: World, merged: Merged) -> None:
    assert merged.again.green, merged.again.text
    assert all(_endpoints(world, stack) for stack in STACKS)
    done = world.drivetrain("production", "verify", "production")
    assert done.returncode == 0, done.stdout + done.stderr


def _endpoints(world: World, stack: str) -> list[str]:
    found = world.client(stack, "sagemaker").list_endpoints()["Endpoints"]
    return [endpoint["EndpointName"] for endpoint in found if endpoint["EndpointStatus"] == "InService"]
