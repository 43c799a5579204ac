"""The supervisor's own loop; no process is started: forks and deaths are told to it."""

import errno
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from serving.observe import shared
from serving.process import slot
from serving.process import supervisor as module
from serving.process.listening import listen
from serving.process.places import Place, Places
from serving.process.supervisor import Supervisor
from tests.serving.conftest import keep_free_port

EXIT_1 = 256
"""What waitpid tells of a process that ended with status 1."""
NO_MORE = OSError(errno.EAGAIN, "Resource temporarily unavailable")


class Rig:
    """A supervisor of two slots; `forks` are the results of fork, `deaths` what waitpid tells, one a turn."""

    def __init__(self, stack: ExitStack) -> None:
        self.forks: list[int] = []
        self.deaths: list[tuple[int, int]] = []
        listeners = listen("127.0.0.1", stack.enter_context(keep_free_port()).getsockname()[1], 2)
        for listener in listeners:
            stack.callback(listener.close)
        places = Places(models=(Place(name="", folder="/models/1"),))
        # No worker is thought to be stuck, however long a turn takes: there is none.
        self.supervisor = Supervisor(shared.allocate(2), listeners, places, lambda *_: 0, stuck_seconds=3600.0)

    def fork(self) -> int:
        if not self.forks:
            raise NO_MORE
        return self.forks.pop(0)

    def waitpid(self, *_: int) -> tuple[int, int]:
        if not self.deaths:
            raise ChildProcessError
        died, self.deaths = self.deaths[0], self.deaths[1:]
        return died

    def run(self, *turns: Callable[[], object]) -> None:
        """As many turns of the loop, each of which ends with one of `turns`."""
        left = list(turns)

        def tick() -> None:
            try:
                left.pop(0)()
            finally:
                if not left:
                    for each in self.supervisor.slots:
                        each.pid = 0
                    self.supervisor.stop()

        self.supervisor.run(lambda _: None, (tick,))


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    killed: list[tuple[int, int]] = []
    with ExitStack() as stack:
        made = Rig(stack)
        monkeypatch.setattr(module, "_TURN_SECONDS", 0.001)
        monkeypatch.setattr(os, "kill", lambda pid, number: killed.append((pid, number)))
        monkeypatch.setattr(os, "fork", made.fork)
        monkeypatch.setattr(os, "waitpid", made.waitpid)
        yield made
        for each in made.supervisor.slots:
            each.listener.close()
            if each.channel is not None:
                each.channel.close()
    assert killed == [], "the numbers of these workers are those of other processes"


def nothing() -> None:
    return


def test_a_machine_without_room_for_a_process_ends_nothing(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(slot, "_NO_ROOM_PAUSE", 3600.0)
    rig.run(nothing, nothing)
    assert signal.SIGTERM not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    errors = capfd.readouterr().err
    assert errors.count("worker 0 cannot be started: Resource temporarily unavailable; it is tried again") == 1
    assert rig.supervisor.slots[0].start_at > 0


def test_no_room_for_a_socket_pair_ends_nothing(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def full() -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(module, "channels", full)
    rig.run(nothing)
    assert "worker 1 cannot be started: Too many open files" in capfd.readouterr().err


def test_an_error_of_one_tick_leaves_the_others_and_the_loop(rig: Rig, capfd: pytest.CaptureFixture[str]) -> None:
    turns: list[int] = []

    def fails() -> None:
        raise RecursionError("too deep")

    rig.run(fails, lambda: turns.append(1))
    assert turns == [1]
    assert "RecursionError: too deep" in capfd.readouterr().err


def test_an_error_in_what_was_read_leaves_the_loop(rig: Rig, capfd: pytest.CaptureFixture[str]) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:

        def fails() -> None:
            ours.recv(1)
            raise ValueError("no such thing")

        theirs.send(b"x")
        rig.supervisor.watch(ours, fails)
        turns: list[int] = []
        rig.run(nothing, lambda: turns.append(1))
    assert turns == [1]
    assert "ValueError: no such thing" in capfd.readouterr().err


def test_a_signal_without_a_name_is_told_by_its_number(rig: Rig, capfd: pytest.CaptureFixture[str]) -> None:
    rig.forks = [11, 12]
    rig.run(lambda: rig.deaths.append((11, 40)), nothing)
    assert "worker 0 was killed by signal 40; another is started" in capfd.readouterr().err


def test_a_slot_that_cannot_start_leaves_connections_to_the_other_one(rig: Rig) -> None:
    slots = rig.supervisor.slots
    rig.forks = [11, 12, 13, 14]
    seen: list[bool] = []

    def note() -> None:
        seen.append(slots[0].listener.fileno() < 0)

    def dies(pid: int) -> None:
        slots[0].start_at = 0.0
        rig.deaths.append((pid, EXIT_1))

    def ready_and_dies() -> None:
        slots[1].became_ready(0.0)
        dies(11)

    rig.run(ready_and_dies, lambda: (note(), dies(13)), lambda: (note(), setattr(slots[0], "start_at", 0.0)), nothing)
    # After one failure it still listens; after the second one it does not.
    assert seen == [False, True]


def test_the_last_socket_stays(rig: Rig) -> None:
    slots = rig.supervisor.slots
    rig.forks = [11, 12]
    open_still: list[bool] = []

    def dies() -> None:
        slots[0].barren = 3
        rig.deaths.append((11, EXIT_1))

    rig.run(dies, lambda: open_still.append(slots[0].listener.fileno() >= 0))
    assert open_still == [True]
