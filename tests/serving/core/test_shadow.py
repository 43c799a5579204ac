"""Shadows without an event loop: the test decides when time passes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from serving.core.call import Call
from serving.core.errors import RequestError
from serving.core.job import Answer, Answered, Job
from serving.core.shadow import IDLE_SECONDS, WAITING, Shadows


class FakeService:
    def __init__(self, *, broken: bool = False) -> None:
        self.bodies: list[bytes] = []
        self.broken = broken

    def decode(self, body: bytes, content_type: str, accept: str = "") -> Job:
        if self.broken:
            raise RequestError("unknown_category", "a field that only this one lacks")
        return Job(1, [0.0], "application/json", body, content_type)

    def answer_all(self, jobs: list[Job]) -> Answered:
        self.bodies += [job.body for job in jobs]
        return live(b"shadow")


def live(*bodies: bytes) -> Answered:
    answers: list[Answer | RequestError] = [Answer("application/json", body, 1) for body in bodies]
    return Answered(answers, np.arange(len(bodies), dtype=np.float32), 0.0, 0.0)


def jobs(*rows: int) -> list[Job]:
    return [Job(count, [0.0] * count, "application/json", b"", "") for count in rows]


class Rig:
    def __init__(self, *, one_row: float = 0.0001, broken: bool = False) -> None:
        self.timers: list[tuple[float, Callable[[], None]]] = []
        self.threads: list[tuple[Callable[[], object], Callable[[object], None]]] = []
        self.seen: list[tuple[str, float, bool]] = []
        self.service: Any = FakeService(broken=broken)
        self.shadows = Shadows(
            lambda delay, callback: self.timers.append((delay, callback)),
            self,
            lambda work, done: self.threads.append((work, done)),
        )
        self.shadows.install("next", self.service, one_row)

    def shadow(self, service: Any, live: Answered, shadow: Answered | None, variant: str) -> None:
        self.seen.append((variant, float(live.predictions[0]), shadow is not None))

    def time_passes(self) -> None:
        delay, callback = self.timers.pop(0)
        assert delay == IDLE_SECONDS
        callback()


def test_copies_are_run_one_at_a_time_in_quiet_moments() -> None:
    rig = Rig()
    rig.shadows.copy([Call(b"a"), Call(b"b")], jobs(1, 1), live(b"a", b"b"))
    assert rig.service.bodies == []
    rig.time_passes()
    assert rig.service.bodies == [b"a"]
    rig.time_passes()
    assert rig.seen == [("next", 0.0, True), ("next", 1.0, True)]
    assert rig.timers == []


def test_while_requests_come_no_copy_runs() -> None:
    rig = Rig()
    rig.shadows.copy([Call(b"a")], jobs(1), live(b"a"))
    for _ in range(5):
        rig.shadows.requests += 1
        rig.time_passes()
    assert rig.service.bodies == []
    rig.time_passes()
    assert rig.service.bodies == [b"a"]


def test_what_finds_the_queue_full_is_dropped_and_counted() -> None:
    rig = Rig()
    for _ in range(WAITING + 7):
        rig.shadows.copy([Call(b"a")], jobs(1), live(b"a"))
    assert rig.shadows.dropped == 7
    assert len(rig.timers) == 1


@pytest.mark.parametrize("broken", [True, False])
def test_a_slow_shadow_runs_in_its_thread_and_its_failure_is_a_count(broken: bool) -> None:
    rig = Rig(one_row=0.1, broken=broken)
    rig.shadows.copy([Call(b"a"), Call(b"b")], jobs(1, 1), live(b"a", b"b"))
    rig.time_passes()
    assert (rig.seen, len(rig.threads), rig.timers) == ([], 1, [])
    work, done = rig.threads.pop()
    done(work())
    assert rig.seen == [("next", 0.0, not broken)]
    assert len(rig.timers) == 1


def test_many_rows_run_in_the_thread_although_one_is_fast() -> None:
    rig = Rig(one_row=0.0001)
    many = Answered([Answer("application/json", b"a", 1000)], np.zeros(1000, dtype=np.float32), 0.0, 0.0)
    rig.shadows.copy([Call(b"a")], jobs(1000), many)
    rig.time_passes()
    assert (rig.service.bodies, len(rig.threads)) == ([], 1)
    work, done = rig.threads.pop()
    done(work())
    assert rig.service.bodies == [b"a"]


def test_an_answer_that_failed_costs_no_other_its_copy() -> None:
    rig = Rig()
    answers = [Answer("", b"a", 1), RequestError("internal", "not a finite number", status=500), Answer("", b"c", 1)]
    predictions = np.array([0, np.nan, np.nan, 3], dtype=np.float32)
    rig.shadows.copy([Call(b"a"), Call(b"b"), Call(b"c")], jobs(1, 2, 1), Answered(answers, predictions, 0.0, 0.0))
    rig.time_passes()
    rig.time_passes()
    assert (rig.service.bodies, [first for _, first, _ in rig.seen]) == ([b"a", b"c"], [0.0, 3.0])
    assert (rig.shadows.dropped, rig.timers) == (0, [])
