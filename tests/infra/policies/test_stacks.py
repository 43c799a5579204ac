"""The rules over what every stack declares once something is released, a stack per model and the bootstrap included."""

import datetime
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.bootstrap.program import declare as declare_bootstrap
from infra.bootstrap.settings import SETTINGS_KEY as BOOTSTRAP_KEY
from infra.platform import declare
from infra.policies import Resource, assess, load_exemptions
from infra.policies.evaluation import Assessment
from infra.settings import load_settings
from infra.sources import project_directory

TODAY = datetime.datetime.now(datetime.UTC).date()
DIGEST = "0" * 64
GITHUB = {"repository": "example/drivetrain"}
pytestmark = pytest.mark.slow


def judged(program: Any, stack: str, project: str = "drivetrain") -> Assessment:
    resources = [
        Resource(
            type=each.type,
            name=each.name,
            properties=each.inputs,
            urn=f"urn:pulumi:{stack}::{project}::{each.type}::{each.name}",
            protect=each.protect,
        )
        for each in program.resources
        if each.custom
    ]
    assert len(resources) > 30
    return assess(resources, load_exemptions(), TODAY)


def released(folder: Path, stack: str, account: str) -> str:
    """A folder with a release of the one model."""
    (folder / f"{stack}.toml").write_text(
        "[models.auto-mpg]\n"
        f'package = "arn:aws:sagemaker:eu-west-1:{account}:model-package/drivetrain-{stack}-auto-mpg/1"\n'
        'artefact = "s3://artifacts/models/auto-mpg/model.tar.gz"\n'
        f'artefact_sha256 = "{DIGEST}"\nmanifest_sha256 = "{DIGEST}"\n'
        f'image = "{account}.dkr.ecr.eu-west-1.amazonaws.com/serving@sha256:{DIGEST}"\n'
        'snapshot = "1"\ncommit = "abc"\n[models.auto-mpg.metrics]\nmae = 1.0\n'
    )
    return str(folder)


def bootstrap(account: str, **stacks: bool) -> dict[str, str]:
    listed = [{"stack": stack, "protect": protect, "github": GITHUB} for stack, protect in stacks.items()]
    settings = {"project": "drivetrain", "account_id": account, "region": "eu-west-1", "stacks": listed}
    return {BOOTSTRAP_KEY: json.dumps(settings)}


@pytest.fixture(scope="module")
def used() -> set[tuple[str, str]]:
    """Which exemptions some stack needed, for the last test."""
    return set()


def assert_kept(found: Assessment, used: set[tuple[str, str]]) -> None:
    assert [each.text for each in found.violations] == []
    used.update((one.rule, one.resource) for _, one in found.exempted)


@pytest.mark.parametrize(
    ("stack", "label", "changes"),
    [
        ("local", "local", {}),
        ("dev", "dev", {}),
        ("staging", "staging", {}),
        ("production", "production", {"github": GITHUB}),
        # What the stack of a pull request declares; its settings are made from dev's when it is.
        ("dev", "pr-7", {"protect": False, "ephemeral": True}),
        ("staging", "pr-7", {"protect": False, "ephemeral": True}),
    ],
)
def test_a_stack_with_a_release_keeps_the_rules(
    stack: str,
    label: str,
    changes: dict[str, Any],
    run_program: Callable[..., Any],
    config: Callable[..., Any],
    tmp_path: Path,
    used: set[tuple[str, str]],
) -> None:
    account = load_settings(project_directory(), stack).account_id
    releases = released(tmp_path, stack, account)
    program = run_program(declare, config(stack, releases=releases, **changes), stack)
    assert_kept(judged(program, label), used)


def test_a_stack_per_model_keeps_the_rules(
    run_program: Callable[..., Any], config: Callable[..., Any], tmp_path: Path
) -> None:
    account = load_settings(project_directory(), "production").account_id
    settings = config("production", scope="models", releases=released(tmp_path, "production", account))
    platform = run_program(declare, settings, "production")
    other = {"organization/drivetrain/production": platform.outputs}
    model = run_program(declare, settings, "production-auto-mpg", other)
    for program, stack in ((platform, "production"), (model, "production-auto-mpg")):
        assert [each.text for each in judged(program, stack).violations] == []


@pytest.mark.parametrize(
    ("account", "stacks"),
    [
        ("111111111111", {"local": False}),
        ("222222222222", {"dev": True, "pr": False}),
        ("444444444444", {"production": True}),
    ],
)
def test_the_bootstrap_keeps_the_rules(
    account: str, stacks: dict[str, bool], run_program: Callable[..., Any], used: set[tuple[str, str]]
) -> None:
    stack = f"{account}-eu-west-1"
    program = run_program(declare_bootstrap, bootstrap(account, **stacks), stack)
    assert_kept(judged(program, stack, "drivetrain-bootstrap"), used)


def test_every_exemption_is_needed_somewhere(used: set[tuple[str, str]]) -> None:
    assert used, "this test reads what those above it found"
    needless = [each for each in load_exemptions() if (each.rule, each.resource) not in used]
    assert [f"{each.rule} {each.resource}" for each in needless] == []
