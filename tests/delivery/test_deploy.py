"""The order of a deployment, and what each step that fails leaves untouched."""

import getpass
import json
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from delivery.deploy import HeldError, Outcome, Plan, deploy
from delivery.endpoints.verify import NotAsDeclaredError
from delivery.errors import DeliveryError
from delivery.pulumi.command import PulumiStack, UpSummary
from delivery.pulumi.preview import Preview
from infra.names import Names
from tests.delivery.live_sagemaker import ENDPOINT, RELEASE, CloudWatch, SageMaker, name, state_of

NAMES = Names(project="drivetrain", stack="production", account_id="444444444444", region="eu-west-1")


@dataclass(frozen=True, kw_only=True)
class Stack(PulumiStack):
    """A stack whose `up` does what the test says; every call is noted."""

    calls: list[str] = field(default_factory=list)
    configured: list[Mapping[str, Any]] = field(default_factory=list)
    on_up: Callable[[], None] = lambda: None
    state: Mapping[str, Any] = field(default_factory=dict)

    def select_or_create(self, secrets_provider: str | None = None) -> None:
        self.calls.append(f"select {secrets_provider}")

    def preview(self, *, refresh: bool = False, policy_pack: Path | None = None) -> Preview:
        assert self.config_file is not None
        self.configured.append(yaml.safe_load(self.config_file.read_text())["config"])
        self.calls.append("preview")
        return Preview(steps=(), change_summary={})

    def up(self, *, refresh: bool = False, policy_pack: Path | None = None, on_line: Any = None) -> UpSummary:
        self.calls.append(f"up with {policy_pack}")
        self.on_up()
        return UpSummary(changes={"update": 1})

    def refresh(self) -> None:
        self.calls.append("refresh")

    def export(self) -> dict[str, Any]:
        return dict(self.state)


@dataclass
class Scene:
    """Release 2 is declared; what the endpoint serves in the end is up to the test."""

    folder: Path
    sagemaker: SageMaker = field(default_factory=SageMaker)
    calls: list[str] = field(default_factory=list)
    configured: list[Mapping[str, Any]] = field(default_factory=list)

    def run(self, on_up: Callable[[], None], gate: Callable[[Preview], None] = lambda preview: None) -> Outcome:
        config = self.folder / "Pulumi.production.yaml"
        config.write_text("config:\n  drivetrain:settings: {}\n")
        stack = Stack(
            project_dir=self.folder,
            name="production",
            calls=self.calls,
            configured=self.configured,
            on_up=on_up,
            state=state_of("2"),
        )
        clients: dict[str, Any] = {"sagemaker": self.sagemaker, "cloudwatch": CloudWatch()}
        plan = Plan(
            project="drivetrain",
            stack=stack,
            config_file=config,
            backend_url=(self.folder / "state").as_uri(),
            names=NAMES,
            endpoints={"auto-mpg": ENDPOINT},
            releases={"auto-mpg": RELEASE},
            client=clients.__getitem__,
            secrets_provider="awskms://key",
            policy_pack=Path("pack"),
        )
        return deploy(plan, gate, lambda line: None)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """Release 1 is live with three instances, release 2 is there to follow."""
    found = Scene(tmp_path)
    found.sagemaker.add("1")
    found.sagemaker.serve("1", instances=3)
    found.sagemaker.add("2", instances=3)
    return found


def test_a_deployment_that_arrives_is_verified_and_tidied_up(scene: Scene) -> None:
    outcome = scene.run(lambda: scene.sagemaker.serve("2", instances=3))
    assert scene.calls == ["select awskms://key", "preview", "up with pack"]
    assert scene.configured[0]["drivetrain:live-instances"] == {"auto-mpg": 3}
    assert [verdict.ok for verdict in outcome.verdicts] == [True]
    assert outcome.retired.configurations == (name("1"),)
    assert set(scene.sagemaker.models) == {name("2")}


def test_a_rollback_fails_refreshes_and_removes_nothing(scene: Scene) -> None:
    with pytest.raises(NotAsDeclaredError, match="SageMaker rolled the update back"):
        scene.run(lambda: None)
    assert scene.calls[-1] == "refresh"
    assert set(scene.sagemaker.models) == set(scene.sagemaker.configurations) == {name("1"), name("2")}


def test_what_the_gate_stops_is_not_applied(scene: Scene) -> None:
    def stop(preview: Preview) -> None:
        raise DeliveryError("the gate stops production")

    with pytest.raises(DeliveryError, match="the gate stops production"):
        scene.run(lambda: None, stop)
    assert scene.calls == ["select awskms://key", "preview"]


def test_a_stack_that_somebody_holds_is_not_touched(scene: Scene) -> None:
    locks = scene.folder / "state" / ".pulumi" / "locks" / "organization" / "drivetrain" / "production"
    locks.mkdir(parents=True)
    lock = {"pid": 7, "username": getpass.getuser(), "hostname": socket.gethostname()}
    since = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
    (locks / "one.json").write_text(json.dumps({**lock, "timestamp": since.isoformat()}))
    with pytest.raises(
        HeldError, match=r"production is held by .* since 2026-11-21 09:30:00 UTC.*lock release production"
    ):
        scene.run(lambda: None)
    assert scene.calls == []
