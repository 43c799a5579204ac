"""The gate over what the program itself declares: the everyday changes pass, as nobody would add a line each time."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from delivery.gate import Verdict, check
from delivery.pulumi.preview import Preview, PreviewStep
from infra.platform import declare
from infra.policies import load_exemptions
from infra.settings import load_settings
from infra.sources import project_directory

# Pulumi names these, and AWS changes nothing of them: another one takes their place.
REPLACED = {"aws:sagemaker/model:Model", "aws:sagemaker/endpointConfiguration:EndpointConfiguration"}
STACK = "production"
_RUNS: dict[str, Any] = {}
"""A run of the program takes a second, and it declares the same each time."""
pytestmark = pytest.mark.slow


def preview(before: Any | None, after: Any) -> Preview:
    """What the engine would plan between two runs of the program."""
    old = {} if before is None else {urn(each): each for each in before.resources if each.custom}
    new = {urn(each): each for each in after.resources if each.custom}
    created = [step("create", None, new[each]) for each in new if each not in old]
    kept = [step(changed(old[each], new[each]), old[each], new[each]) for each in new if each in old]
    deleted = [step("delete", old[each], None) for each in old if each not in new]
    return Preview(steps=(*created, *kept, *deleted), change_summary={})


def urn(resource: Any) -> str:
    return f"urn:pulumi:{STACK}::drivetrain::{resource.type}::{resource.name}"


def changed(old: Any, new: Any) -> Any:
    if old.inputs == new.inputs:
        return "same"
    return "create-replacement" if new.type in REPLACED else "update"


def step(op: Any, old: Any | None, new: Any | None) -> PreviewStep:
    held, was = new or old, old or new
    assert held is not None
    assert was is not None
    return PreviewStep(
        op=op,
        urn=urn(held),
        type=held.type,
        name=held.name,
        old_inputs=old.inputs if old else {},
        new_inputs=new.inputs if new else {},
        protect=bool(was.protect),
        unprotected=bool(old and old.protect and new and not new.protect),
    )


def _released(account: str, release: int) -> str:
    digest = str(release) * 64
    return (
        "[models.auto-mpg]\n"
        f'package = "arn:aws:sagemaker:eu-west-1:{account}:model-package/drivetrain-{STACK}-auto-mpg/{release}"\n'
        f'artefact = "s3://artifacts/models/auto-mpg/{release}/model.tar.gz"\n'
        f'artefact_sha256 = "{digest}"\nmanifest_sha256 = "{digest}"\n'
        f'image = "{account}.dkr.ecr.eu-west-1.amazonaws.com/serving@sha256:{digest}"\n'
        f'snapshot = "{release}"\ncommit = "abc"\n[models.auto-mpg.metrics]\nmae = 1.0\n'
    )


@pytest.fixture
def stack(run_program: Callable[..., Any], config: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """The stack with the release of that number (none for 0) and some of its settings changed."""
    account = load_settings(project_directory(), STACK).account_id

    def made(release: int = 0, **changes: Any) -> Any:
        key = f"{release} {sorted(changes.items())}"
        if key not in _RUNS:
            _RUNS[key] = run(release, changes)
        return _RUNS[key]

    def run(release: int, changes: dict[str, Any]) -> Any:
        folder = tmp_path / f"release-{release}"
        folder.mkdir(exist_ok=True)
        if release:
            (folder / f"{STACK}.toml").write_text(_released(account, release))
        return run_program(declare, config(STACK, releases=str(folder), **changes), STACK)

    return made


def judged(before: Any | None, after: Any) -> Verdict:
    return check(preview(before, after), stack=STACK, exemptions=load_exemptions())


def test_first_deployment_release_next_release_and_revert_pass(stack: Callable[..., Any]) -> None:
    bare, first, second = stack(), stack(1), stack(2)
    for before, after in ((None, bare), (None, first), (bare, first), (first, second), (second, first), (first, first)):
        assert judged(before, after).text == f"the gate lets {STACK} pass"


def test_taking_the_only_release_back_is_stopped(stack: Callable[..., Any]) -> None:
    stopped = {each.rule for each in judged(stack(1), stack()).stopped}
    assert stopped == {"delete-data", "take-down", "remove-alarm"}


def test_a_stack_that_is_no_longer_protected_is_stopped(stack: Callable[..., Any]) -> None:
    verdict = judged(stack(), stack(protect=False))
    stopped = [each for each in verdict.stopped if each.rule == "remove-protection"]
    assert {each.type for each in stopped} >= {
        "aws:s3/bucket:Bucket",
        "aws:kms/key:Key",
        "aws:ecr/repository:Repository",
    }
    assert {each.rule for each in verdict.violations} >= {"protect-data", "s3-force-destroy", "kms-deletion-window"}


def test_shorter_logs_are_stopped_and_longer_ones_pass(stack: Callable[..., Any]) -> None:
    of_production = load_settings(project_directory(), STACK).observability.budget_usd_per_month
    year, two_years = (
        stack(observability={"log_retention_days": days, "budget_usd_per_month": of_production}) for days in (365, 731)
    )
    assert judged(year, two_years).passed
    assert {each.rule for each in judged(two_years, year).stopped} == {"remove-logging"}


def test_another_name_for_everything_is_stopped(stack: Callable[..., Any]) -> None:
    """Tags and names are in almost every resource."""
    verdict = judged(stack(), stack(project="traindrive"))
    assert "many-changes" in {each.rule for each in verdict.stopped}
