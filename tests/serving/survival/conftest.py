"""Process groups that are disturbed: what they say of themselves, and models to swap."""

import http.client
import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.serving.conftest import PATIENCE
from tests.serving.survival.load import Load

CAR: dict[str, object] = {
    "cylinders": 4,
    "displacement": 97.0,
    "horsepower": 88.0,
    "weight": 2130,
    "acceleration": 14.5,
    "model_year": 1971,
    "origin": "Japan",
}
PREDICTION = 35.61
"""Of that car, by the model that tests/serving/conftest.py makes."""


class Group:
    """A running process group with a control socket."""

    def __init__(self, process: Any, control: Path) -> None:
        self.process = process
        self.port: int = process.port
        self.control = control

    def load(self, expected: dict[str, float] | None = None, callers: int = 8) -> Load:
        return Load(self.port, CAR, expected or {"": PREDICTION}, callers)

    def status(self) -> dict[str, Any]:
        return self.ask("GET", "/status")[1]

    def pids(self) -> list[int]:
        """Those of the workers, all of which must live: to kill process 0 would be to kill the tests."""
        pids: list[int] = [worker["pid"] for worker in self.status()["workers"]]
        assert all(pids), self.process.stderr()
        return pids

    def restarts(self) -> int:
        """How often a worker was replaced."""
        return sum(worker["restarts"] for worker in self.status()["workers"])

    def swap(self, folder: Path, **more: object) -> tuple[int, dict[str, Any]]:
        return self.ask("POST", "/model", {"folder": str(folder), **more})

    def ask(self, method: str, path: str, document: object = None) -> tuple[int, dict[str, Any]]:
        connection = http.client.HTTPConnection("localhost", timeout=PATIENCE)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(self.control))
        connection.request(method, path, None if document is None else json.dumps(document))
        answer = connection.getresponse()
        content = json.loads(answer.read())
        connection.close()
        return answer.status, content

    def wait_until(self, holds: Callable[[dict[str, Any]], bool], seconds: float = PATIENCE) -> dict[str, Any]:
        """The status as soon as `holds` does."""
        deadline = time.monotonic() + seconds
        while not holds(status := self.status()):
            assert time.monotonic() < deadline, f"{status}\n{self.process.stderr()}"
            time.sleep(0.02)
        return status

    def wait_until_whole(self, seconds: float = PATIENCE) -> dict[str, Any]:
        """Until every worker is ready."""
        return self.wait_until(lambda status: all(worker["ready"] for worker in status["workers"]), seconds)


@pytest.fixture(scope="session")
def start_group(start_server: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Group]:
    """Start a group of two workers; `environ` changes it."""

    def start(base: Path, **environ: str) -> Group:
        control = tmp_path_factory.mktemp("control") / "s"
        settings = {"SERVING_WORKERS": "2", "SERVING_CONTROL_SOCKET": str(control)} | environ
        group = Group(start_server(base, **settings), control)
        group.process.wait_until_ready()
        group.wait_until_whole()
        return group

    return start


def children(pid: int) -> list[int]:
    """The processes that `pid` started and that were not reaped yet."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def lives(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until_gone(pids: list[int]) -> None:
    """Until none of the processes lives."""
    deadline = time.monotonic() + PATIENCE
    while any(lives(pid) for pid in pids):
        assert time.monotonic() < deadline, f"one of {pids} lives on"
        time.sleep(0.02)


def resident(pid: int) -> int:
    """Bytes of memory."""
    (line,) = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS")]
    return 1024 * int(line.split()[1])
