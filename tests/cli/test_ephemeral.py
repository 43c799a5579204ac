"""Stacks of pull requests by command: rules are applied to them, and one that stays keeps no other from going."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.ephemeral import app
from delivery.errors import DeliveryError
from delivery.pulumi.command import PulumiStack, UpSummary
from delivery.stacks.ephemeral import FoundStack
from infra.settings import Settings
from infra.sources import project_directory

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("Pulumi.yaml", "Pulumi.dev.yaml"):
        (tmp_path / name).write_text(
            (project_directory() / name).read_text().replace("name: drivetrain", "name: other")
        )
    monkeypatch.setattr("cli.ephemeral.project_directory", lambda: tmp_path)
    return tmp_path


def test_the_rules_judge_what_is_made(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    applied: list[Path | None] = []

    def up(stack: PulumiStack, *, policy_pack: Path | None = None, on_line: Any = None) -> UpSummary:
        applied.append(policy_pack)
        return UpSummary(changes={"create": 3})

    monkeypatch.setattr(PulumiStack, "select_or_create", lambda *_: None)
    monkeypatch.setattr(PulumiStack, "up", up)
    told = CliRunner().invoke(app, ["create", "12"])
    assert "pr-12: 3 changed" in told.stdout
    assert applied == [project / "infra" / "policies" / "pack"]
    assert (project_directory() / "infra" / "policies" / "pack" / "PulumiPolicy.yaml").is_file()


def test_one_that_cannot_be_removed_keeps_no_other(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    removed: list[str] = []

    def found(_: Any, bucket: str, name: str) -> list[FoundStack]:
        asked.append(name)
        return [FoundStack(name=f"pr-{number}", changed=LONG_AGO) for number in (1, 2, 3)]

    def remove(settings: Settings) -> None:
        if settings.stack != "pr-2":
            raise DeliveryError(f"{settings.stack} is held")
        removed.append(settings.stack)

    monkeypatch.setattr("cli.ephemeral.stacks.found_stacks", found)
    monkeypatch.setattr("cli.ephemeral._remove", remove)
    told = CliRunner().invoke(app, ["expire", "--days", "7"])
    assert removed == ["pr-2"]
    assert isinstance(told.exception, DeliveryError)
    assert str(told.exception) == "these are not removed:\npr-1: pr-1 is held\npr-3: pr-3 is held"
    assert "3 there, 3 older than 7 days, 1 of them removed" in told.stdout
    assert asked == ["other"]
