"""`drivetrain hours`: which stacks it asks, and when it leaves everything alone."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
import typer
from typer.testing import CliRunner, Result

from cli import deploy as deploying
from cli import hours as clock
from cli.connection import Connection
from cli.places import StackPlace
from delivery.endpoints.hours import Moved
from delivery.pulumi.backend import open_bucket
from delivery.pulumi.command import PulumiStack
from infra.model_folders import model_names
from infra.settings import Settings, load_settings
from infra.sources import project_directory

PROJECT = project_directory()
MODELS = [f"staging-{model}" for model in model_names(PROJECT)]
app = typer.Typer()
app.command()(clock.hours)


def place(settings: Settings) -> StackPlace:
    connection = Connection(project_dir=PROJECT, settings=settings, releases_file=PROJECT / "none", rehearsal=None)
    return StackPlace(stack="staging", environment="staging", connection=connection, specs=())


@pytest.fixture
def split(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    """Staging with a stack per model, whose endpoints note what they are told."""
    told: dict[str, Any] = {}
    settings = load_settings(PROJECT, "staging").model_copy(update={"scope": "models"})

    def export(stack: PulumiStack) -> dict[str, Any]:
        return {"version": 3, "deployment": {"resources": [{"urn": stack.name, "type": "t"}]}}

    def reopened(_client: Any, _endpoints: Any, state: Any, _wait: float) -> Moved:
        told["reopened"] = [each["urn"] for each in state["deployment"]["resources"]]
        return Moved(moved=())

    def closed(*_: Any) -> Moved:
        told["closed"] = True
        return Moved(moved=())

    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}")
    monkeypatch.setattr(PulumiStack, "export", export)
    monkeypatch.setattr(clock, "find_place", lambda *_, **__: place(settings))  # pyright: ignore[reportUnknownLambdaType]
    for module in (clock, deploying):
        monkeypatch.setattr(module, "reopen", reopened)
    monkeypatch.setattr(clock, "close", closed)
    told["settings"] = settings
    return told


def hours(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["staging", *arguments], catch_exceptions=False)


def deployed(backend: Path, ago: timedelta) -> None:
    key = f".pulumi/stacks/drivetrain/{MODELS[0]}.json"
    open_bucket(f"file://{backend}").write(key, "{}")
    moment = (datetime.now(UTC) - ago).timestamp()
    os.utime(backend / key, (moment, moment))


def test_endpoints_come_back_from_the_states_of_every_stack(split: dict[str, Any]) -> None:
    assert hours("--open").exit_code == 0
    assert split["reopened"] == ["staging", *MODELS]


def test_a_deployment_of_several_stacks_starts_them_all_first(split: dict[str, Any]) -> None:
    deploying.reopen_all(place(split["settings"]))
    assert split.pop("reopened") == ["staging", *MODELS]
    deploying.reopen_all(place(cast("Settings", split["settings"]).model_copy(update={"scope": "stack"})))
    assert "reopened" not in split


@pytest.mark.parametrize("way", ["--open", "--close"])
def test_nothing_is_touched_while_a_stack_is_held(split: dict[str, Any], tmp_path: Path, way: str) -> None:
    lock = {"pid": 7, "username": "ann", "hostname": "runner", "timestamp": "2026-11-20T12:00:00Z"}
    key = f".pulumi/locks/organization/drivetrain/{MODELS[0]}/x.json"
    open_bucket(f"file://{tmp_path}").write(key, json.dumps(lock))
    done = hours(way)
    assert (done.exit_code, set(split)) == (0, {"settings"})
    assert f"the endpoints of staging are left as they are: the stack {MODELS[0]} is held by ann@runner" in " ".join(
        done.stdout.split()
    )


def test_the_clock_stops_nothing_that_was_deployed_just_now(
    split: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "is_open", lambda *_: False)  # pyright: ignore[reportUnknownLambdaType]
    deployed(tmp_path, timedelta(hours=1))
    assert "was deployed at" in hours().stdout
    assert "closed" not in split
    deployed(tmp_path, timedelta(hours=3))
    assert hours().exit_code == 0
    assert split["closed"] is True


def test_a_person_stops_them_whenever_it_was_deployed(split: dict[str, Any], tmp_path: Path) -> None:
    deployed(tmp_path, timedelta(minutes=1))
    assert hours("--close").exit_code == 0
    assert split["closed"] is True
