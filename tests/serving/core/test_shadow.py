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
    rig.shadows.copy([Call(b"a"), Call(b"b")], live(b"a", b"b"))
    assert rig.service.bodies == []
    rig.time_passes()
    assert rig.service.bodies == [b"a"]
    rig.time_passes()
    assert rig.seen == [("next", 0.0, True), ("next", 1.0, True)]
    assert rig.timers == []


def test_while_requests_come_no_copy_runs() -> None:
    rig = Rig()
    rig.shadows.copy([Call(b"a")], live(b"a"))
    for _ in range(5):
        rig.shadows.requests += 1
        rig.time_passes()
    assert rig.service.bodies == []
    rig.time_passes()
    assert rig.service.bodies == [b"a"]


def test_what_finds_the_queue_full_is_dropped_and_counted() -> None:
    rig = Rig()
    for _ in range(WAITING + 7):
        rig.shadows.copy([Call(b"a")], live(b"a"))
    assert rig.shadows.dropped == 7
    assert len(rig.timers) == 1


@pytest.mark.parametrize("broken", [True, False])
def test_a_slow_shadow_runs_in_its_thread_and_its_failure_is_a_count(broken: bool) -> None:
    rig = Rig(one_row=0.1, broken=broken)
    rig.shadows.copy([Call(b"a"), Call(b"b")], live(b"a", b"b"))
    rig.time_passes()
    assert (rig.seen, len(rig.threads), rig.timers) == ([], 1, [])
    work, done = rig.threads.pop()
    done(work())
    assert rig.seen == [("next", 0.0, not broken)]
    assert len(rig.timers) == 1
