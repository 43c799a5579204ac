"""A fleet's relay into an isolated container, which is there as long as the container is; and the fleet's port."""

import socket
from pathlib import Path
from typing import Any

import pytest

from rehearsal import ports
from rehearsal.aws.endpoints import fleet as module
from rehearsal.aws.endpoints.fleet import Fleet
from rehearsal.aws.endpoints.model import ModelError, ServedModel
from rehearsal.aws.jobs.container import Command
from rehearsal.aws.processes import ClosedError
from rehearsal.containers import relay
from rehearsal.containers.box import Box


class Relay:
    """One that listens to nobody."""

    opened: list["Relay"]

    def __init__(self, **_: Any) -> None:
        self.listens, self.port = True, 0
        Relay.opened.append(self)

    def close(self) -> None:
        self.listens = False


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    Relay.opened = []
    monkeypatch.setattr(module, "Relay", Relay)
    model = ServedModel(
        name="m", account_id="1", region="r", image="i", data_url=None, environment={}, role="a", isolated=True
    )
    made = Fleet(model, configuration="c", variant="v", home=tmp_path, group="g", startup_s=1)
    box = Box(name="b", image="i", owner="o", base=tmp_path / "ml", isolated=True)
    made._command = Command(words=[], folder=tmp_path, environment={}, output=made._log, box=box)
    return made


def test_a_fleet_that_was_stopped_opens_no_relay(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Command] = []
    monkeypatch.setattr(module.container, "launch", lambda command: (started.append(command), []))
    fleet._ending.set()
    fleet._launch()
    assert Relay.opened == []
    assert started == []


def test_a_relay_goes_when_its_container_cannot_start(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(command: Command) -> None:
        raise ClosedError

    monkeypatch.setattr(module.container, "launch", closed)
    with pytest.raises(ClosedError):
        fleet._launch()
    assert [each.listens for each in Relay.opened] == [False]


def test_a_relay_listens_whoever_took_the_port_that_was_free(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "Relay", relay.Relay)
    monkeypatch.setattr(module.container, "launch", lambda _: (None, []))
    with socket.create_server((ports.HOST, 0)) as other:
        taken = other.getsockname()[1]
        monkeypatch.setattr(module.ports, "free_port", lambda: taken)
        fleet._launch()
        try:
            assert fleet.port != taken
            socket.create_connection((ports.HOST, fleet.port), 10).close()
        finally:
            fleet._close_relay()


def test_a_port_that_somebody_else_takes_first_is_given_up_for_another(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given: list[str] = []

    def dead_at_once(command: Command) -> tuple[None, list[Any]]:
        given.append(command.environment["SAGEMAKER_BIND_TO_PORT"])
        return None, []

    monkeypatch.setattr(module.container, "launch", dead_at_once)
    command = Command(words=[], folder=tmp_path, environment={}, output=fleet._log)
    monkeypatch.setattr(ServedModel, "prepare", lambda *_: command)
    monkeypatch.setattr(fleet, "stop", lambda: None)
    monkeypatch.setattr(module.ports, "taken", lambda port: port < 3)
    monkeypatch.setattr(module.ports, "free_port", iter([1, 2, 3, 4]).__next__)
    with pytest.raises(ModelError, match="variant v exited"):
        fleet.start()
    assert given == ["1", "2", "3"], "what dies on a port of its own is not started again"
