"""A slot's judgement of its worker; no process is started, nor killed."""

import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from serving.observe import shared
from serving.process import processor_time as kernel
from serving.process import slot as module
from serving.process.channel import channels
from serving.process.listening import bind_beside, listen
from serving.process.processor_time import ProcessorTime
from serving.process.slot import Slot


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    seen: list[tuple[int, int]] = []
    monkeypatch.setattr(module.os, "kill", lambda pid, number: seen.append((pid, number)))
    return seen


@pytest.fixture(autouse=True)
def used(monkeypatch: pytest.MonkeyPatch) -> list[ProcessorTime]:
    """The worker's processor time, the last of the list; the others have their pid from nowhere."""
    told = [ProcessorTime(3.0, 1.0)]
    monkeypatch.setattr(kernel, "processor_time", lambda _: told[-1])
    return told


@pytest.fixture
def slot() -> Iterator[Slot]:
    with socket.socket() as listener:
        made = Slot(0, listener, shared.region(shared.allocate(1), 0))
        start(made, 100.0)
        yield made
        if made.channel is not None:
            made.channel.close()


def start(slot: Slot, now: float) -> None:
    ours, theirs = channels()
    theirs.close()
    slot.begin(4242, ours, now)


def beat(slot: Slot, now: float, *, ready: bool = True) -> None:
    slot.cells[shared.HEARTBEAT] = now
    slot.cells[shared.READY] = ready


def test_a_worker_that_beats_is_well(slot: Slot) -> None:
    slot.became_ready(100.4)
    beat(slot, 110.0)
    assert slot.complaint(111.4, 0) == ""


def test_a_silent_worker_is_stuck_after_a_second_and_a_half(slot: Slot) -> None:
    slot.became_ready(100.4)
    beat(slot, 110.0)
    assert slot.complaint(111.6, 0) == "has not turned its event loop for 1.6 s"


def test_a_worker_without_a_processor_is_not_stuck(slot: Slot, used: list[ProcessorTime]) -> None:
    slot.became_ready(100.4)
    beat(slot, 110.0)
    assert slot.complaint(110.1, 0) == ""
    used.append(ProcessorTime(3.2, 2.9))
    assert slot.complaint(112.0, 0) == ""
    assert slot.complaint(113.3, 0) == ""
    assert "3.5 s" in slot.complaint(113.5, 0), "it waited for 1.9 s of these, and did not for 1.6 s"


def test_a_worker_that_had_a_processor_and_did_not_turn_is_stuck(slot: Slot, used: list[ProcessorTime]) -> None:
    slot.became_ready(100.4)
    beat(slot, 110.0)
    assert slot.complaint(110.1, 0) == ""
    used.append(ProcessorTime(3.6, 2.0))
    assert "1.6 s" in slot.complaint(111.6, 0)


def test_a_wait_that_the_kernel_has_not_counted_yet_is_one(slot: Slot, used: list[ProcessorTime]) -> None:
    slot.became_ready(100.4)
    beat(slot, 110.0)
    used.append(ProcessorTime(3.2, 1.0, runnable=True))
    assert [slot.complaint(now, 0) for now in (110.1, 110.5, 111.6, 120.0)] == [""] * 4
    used.append(ProcessorTime(3.2, 10.8))
    assert slot.complaint(121.2, 0) == "", "it waited for 9.8 s of these"
    assert "11.4 s" in slot.complaint(121.4, 0)


def test_who_spins_beside_three_others_is_seen_within_two_seconds(slot: Slot, used: list[ProcessorTime]) -> None:
    slot.became_ready(100.4)
    beat(slot, 110.0)
    assert slot.complaint(110.0, 0) == ""
    for turn in range(1, 20):
        used.append(ProcessorTime(3.0 + turn * 0.025, 1.0 + turn * 0.075, runnable=True))
        assert slot.complaint(110.0 + turn / 10, 0) == ""
    used.append(ProcessorTime(3.51, 2.49, runnable=True))
    assert "2.0 s" in slot.complaint(112.0, 0)


def test_who_sleeps_or_stands_still_does_not_wait(slot: Slot, used: list[ProcessorTime]) -> None:
    slot.became_ready(100.4)
    beat(slot, 110.0)
    used.append(ProcessorTime(3.0, 1.0, runnable=False))
    assert [slot.complaint(now, 0) for now in (110.1, 110.9, 111.4)] == [""] * 3
    assert "1.6 s" in slot.complaint(111.6, 0)


def test_a_worker_that_loads_on_a_busy_machine_may_use_twenty_seconds_for_it(
    slot: Slot, used: list[ProcessorTime]
) -> None:
    assert slot.complaint(100.1, 0) == ""
    used.append(ProcessorTime(13.0, 52.0))
    assert slot.complaint(161.0, 0) == "", "its imports alone take more than half a second"
    used.append(ProcessorTime(23.1, 52.0))
    assert "61.1 s" in slot.complaint(161.1, 0)


def test_only_what_was_waited_since_the_last_sign_of_life_counts(slot: Slot, used: list[ProcessorTime]) -> None:
    slot.became_ready(100.4)
    used.append(ProcessorTime(3.2, 60.0))
    beat(slot, 110.0)
    assert slot.complaint(110.1, 0) == ""
    assert "1.6 s" in slot.complaint(111.6, 0)


def test_a_worker_that_loads_may_take_its_time(slot: Slot) -> None:
    assert slot.complaint(150.0, 0) == ""
    assert slot.complaint(161.0, 0).startswith("has not turned its event loop for 61.0 s")


def test_silence_while_the_supervisor_stood_still_does_not_count(slot: Slot) -> None:
    slot.became_ready(100.4)
    beat(slot, 110.0)
    assert slot.complaint(200.1, 200.0) == ""
    assert "1.6 s" in slot.complaint(201.6, 200.0)


def test_a_model_that_does_not_answer_though_its_loop_turns(slot: Slot) -> None:
    slot.became_ready(100.4)
    for now in (110.0, 120.0, 139.0):
        beat(slot, now, ready=False)
        assert slot.complaint(now, 0) == ""
    beat(slot, 140.5, ready=False)
    assert slot.complaint(140.5, 0) == "has a model that does not answer for 30.5 s"
    beat(slot, 140.6)
    assert slot.complaint(140.6, 0) == ""


def test_a_kill_is_done_and_counted_once(slot: Slot, killed: list[tuple[int, int]]) -> None:
    slot.became_ready(100.4)
    assert slot.complaint(110.0, 0)
    slot.kill()
    assert slot.complaint(110.0, 0) == ""
    slot.kill()
    assert killed == [(4242, signal.SIGKILL)]
    # Restarts less those of stuck workers are the ones that died: both rise at once.
    assert (slot.cells[shared.RESTARTS], slot.cells[shared.STUCK]) == (0, 0)
    slot.ended(110.1)
    assert (slot.cells[shared.RESTARTS], slot.cells[shared.STUCK]) == (1, 1)


def test_the_first_restart_is_at_once_and_the_next_ones_wait(slot: Slot) -> None:
    pauses: list[float] = []
    for _ in range(10):
        slot.ended(200.0)
        pauses.append(round(slot.start_at - 200.0, 3))
        start(slot, 200.0)
    assert pauses == [0, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10, 10]
    assert (slot.cells[shared.RESTARTS], slot.barren) == (10, 10)


def test_a_worker_that_was_ready_for_long_begins_anew(slot: Slot) -> None:
    for _ in range(3):
        slot.ended(200.0)
        start(slot, 200.0)
    slot.became_ready(200.5)
    slot.ended(300.0)
    assert (slot.start_at, slot.failures, slot.barren) == (300.0, 1, 0)
    assert (slot.pid, slot.ready) == (0, False)
    assert slot.cells[shared.READY] == slot.cells[shared.PID] == 0


def test_a_worker_of_a_transform_job_may_take_its_time_over_a_payload() -> None:
    with socket.socket() as listener:
        slot = Slot(0, listener, shared.region(shared.allocate(1), 0), module.BATCH_STUCK_SECONDS)
        start(slot, 100.0)
        slot.became_ready(100.4)
        beat(slot, 110.0)
        assert slot.complaint(700.0, 0) == ""
        beat(slot, 110.0, ready=False)
        assert [slot.complaint(now, 0) for now in (110.0, 700.0)] == ["", ""]
        beat(slot, 110.0)
        assert "has not turned its event loop for 3601.0 s" in slot.complaint(3711.0, 0)
        if slot.channel is not None:
            slot.channel.close()


def test_a_withdrawn_socket_is_bound_again_and_gets_nobody_before_it_listens() -> None:
    (first,) = listen("127.0.0.1", 0, 1)
    address = first.getsockname()
    with ExitStack() as stack:
        other = stack.enter_context(bind_beside(address))
        other.listen()
        other.settimeout(60)
        slot = Slot(0, first, shared.region(shared.allocate(1), 0))
        slot.withdraw()
        slot.bind_again()
        stack.callback(slot.listener.close)
        for _ in range(20):
            stack.enter_context(socket.create_connection(address))
            stack.enter_context(other.accept()[0])
        assert slot.listener.getsockname() == address
        slot.listener.listen()
        slot.listener.settimeout(60)
        for _ in range(64):
            stack.enter_context(socket.create_connection(address))
        stack.enter_context(slot.listener.accept()[0])
