"""The control socket with real connections, on a loop that the test turns."""

import contextlib
import os
import resource
import selectors
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from serving.process import control as module
from serving.process.control import Answer, ControlError, ControlRequest, ControlSocket


class FakeSupervisor:
    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()

    def watch(self, source: socket.socket, readable: Callable[[], None]) -> None:
        self.selector.register(source, selectors.EVENT_READ, readable)

    def unwatch(self, source: socket.socket) -> None:
        self.selector.unregister(source)

    def turn(self) -> int:
        """How many had something to read."""
        found = self.selector.select(0)
        for key, _ in found:
            key.data()
        return len(found)


class Rig:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.supervisor: Any = FakeSupervisor()
        self.requests: list[ControlRequest] = []
        self.answers: list[Answer] = []
        self.control = ControlSocket(path, self.supervisor, self.handle)

    def handle(self, request: ControlRequest, answer: Answer) -> None:
        self.requests.append(request)
        self.answers.append(answer)

    def connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(60)
        connection.connect(str(self.path))
        self.supervisor.turn()
        return connection

    def send(self, connection: socket.socket, data: bytes) -> None:
        connection.sendall(data)
        self.supervisor.turn()


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path / "s")
    yield made
    made.control.close()
    made.supervisor.selector.close()


def test_a_request_in_pieces_is_read_whole_and_answered_later(rig: Rig) -> None:
    with rig.connect() as connection:
        rig.send(connection, b"POST /model HTTP/1.1\r\nContent-Le")
        rig.send(connection, b'ngth: 4\r\n\r\n{"a"')
        assert rig.requests == [ControlRequest(method="POST", path="/model", body=b'{"a"')]
        rig.answers[0](409, {"error": "no"})
        answer = connection.recv(65536)
        assert answer.startswith(b"HTTP/1.1 409 Conflict\r\n")
        assert answer.endswith(b'{"error": "no"}\n')
        assert connection.recv(10) == b""


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000,
    ],
)
def test_what_is_no_request_is_refused(rig: Rig, sent: bytes) -> None:
    with rig.connect() as connection:
        rig.send(connection, sent)
        if not sent.endswith(b"x"):
            connection.shutdown(socket.SHUT_WR)
        for _ in range(3):
            rig.supervisor.turn()
        assert connection.recv(65536).startswith(b"HTTP/1.1 400 ")
    assert rig.requests == []


def test_who_takes_too_long_is_hung_up_on(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    with rig.connect() as connection:
        rig.send(connection, b"GET /status")
        rig.control.tick()
        monkeypatch.setattr(module, "_REQUEST_SECONDS", -1.0)
        rig.control.tick()
        assert connection.recv(10) == b""


def test_a_socket_left_by_a_killed_server_is_taken_over_and_a_living_ones_is_not(rig: Rig, tmp_path: Path) -> None:
    left = tmp_path / "left"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(left))
    other = Rig(left)
    assert left.stat().st_mode & 0o777 == 0o600
    other.control.close()
    other.supervisor.selector.close()
    assert not left.exists()
    with pytest.raises(ControlError, match=r"SERVING_CONTROL_SOCKET is '.*': Address already in use"):
        Rig(rig.path)


def test_a_path_that_cannot_be_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ControlError, match="No such file or directory"):
        Rig(tmp_path / "nowhere" / "s")
    with pytest.raises(ControlError, match="path too long"):
        Rig(tmp_path / ("x" * 120))


@contextlib.contextmanager
def no_room() -> Iterator[None]:
    """Not one more file can be opened."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)  # the lowest number that is free is what the next file would get
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_without_a_file_to_spare_the_loop_does_not_spin_and_who_waits_is_let_in_later(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(60)
        connection.connect(str(rig.path))
        connection.sendall(b"GET /status HTTP/1.1\r\n\r\n")
        now = time.monotonic()
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now))
        with no_room():
            assert [rig.supervisor.turn() for _ in range(5)] == [1, 0, 0, 0, 0]
            rig.control.tick()
            assert rig.supervisor.turn() == 0, "it waits a while"
        now += 0.5
        rig.control.tick()
        assert [rig.supervisor.turn() for _ in range(3)] == [1, 1, 0]
        assert [request.path for request in rig.requests] == ["/status"]
        rig.answers[0](200, {})


def test_a_socket_that_waits_for_room_can_be_closed(rig: Rig) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(rig.path))
        with no_room():
            rig.supervisor.turn()
        rig.control.close()
        assert not rig.path.exists()
        rig.control = ControlSocket(rig.path, rig.supervisor, rig.handle)
