"""A container's end: whatever happens to who watches it, nothing of it is left."""

import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from rehearsal.aws import runtime
from rehearsal.aws.jobs import container
from rehearsal.aws.jobs.container import Command
from rehearsal.aws.jobs.logs import LogStream
from rehearsal.aws.processes import Processes, group_alive
from rehearsal.containers.box import Box


class Engine:
    """podman, as far as it takes containers away."""

    def __init__(self) -> None:
        self.removed: list[str] = []

    def remove(self, *containers: str) -> None:
        self.removed += containers


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A rehearsal runs in this process; its containers are plain processes, which are taken away as containers are."""
    made: Any = Engine()
    current = runtime.Runtime(state_dir=tmp_path, port=0, processes=Processes(tmp_path / "notes"), engine=made)
    monkeypatch.setattr(runtime, "current", lambda: current)
    monkeypatch.setattr(container, "_started_by", lambda command: (command.words, command.environment))
    return made


def test_a_container_goes_though_nobody_can_be_told_that_it_is_stopped(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = LogStream(account_id="1", region="r", group="g", stream="s", file=tmp_path / "log.txt")
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(300)"
    box = Box(name="one", image="i", owner="o", base=tmp_path, isolated=True)
    command = Command(words=[sys.executable, "-c", deaf], folder=tmp_path, environment={}, output=log, box=box)
    pids: list[int] = []
    launch = container.launch

    def noted(command: Command) -> Any:
        process, threads = launch(command)
        pids.append(process.pid)
        return process, threads

    def untold() -> None:
        raise ConnectionError("nobody is there")

    monkeypatch.setattr(container, "launch", noted)
    stop = threading.Event()
    stop.set()
    with pytest.raises(ConnectionError):
        container.run(command, limit_s=300, stop=stop, grace_s=60, on_stopping=untold)
    assert engine.removed == ["one"]
    assert [group_alive(pid) for pid in pids] == [False]
    assert list((tmp_path / "notes").iterdir()) == []
