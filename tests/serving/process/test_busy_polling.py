"""Busy polling, over an event loop and a clock of the test's own."""

import asyncio
import time
from collections import deque
from collections.abc import Callable

import uvloop

from serving.process.busy_polling import BusyPolling


class Loop:
    """Turns of 10 µs, in each of which all is called that was asked for before it."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waiting: deque[Callable[[], None]] = deque()
        self.turns = 0
        self.alone = True

    def call_soon(self, callback: Callable[[], None]) -> None:
        self.waiting.append(callback)

    def turn(self) -> None:
        self.now += 10e-6
        self.turns += 1
        for _ in range(len(self.waiting)):
            self.waiting.popleft()()

    def turns_until_asleep(self) -> int:
        """How many turns it takes until the loop would wait for something to happen."""
        before = self.turns
        while self.waiting:
            self.turn()
        return self.turns - before


def started(loop: Loop, microseconds: float = 100) -> BusyPolling:
    return BusyPolling(loop.call_soon, microseconds / 1e6, lambda: loop.alone, lambda: loop.now)


def test_what_is_asked_for_is_called_in_the_same_turn() -> None:
    loop, seen = Loop(), list[float]()
    started(loop)(lambda: seen.append(loop.turns))
    loop.turn()
    assert seen == [1]


def test_the_loop_stays_awake_for_the_moment_and_no_longer() -> None:
    loop = Loop()
    started(loop)(lambda: None)
    assert loop.turns_until_asleep() in (11, 12)


def test_whoever_comes_in_time_lengthens_it() -> None:
    loop = Loop()
    busy = started(loop)
    busy(lambda: None)
    for _ in range(8):
        loop.turn()
    busy(lambda: None)
    assert loop.turns_until_asleep() in (11, 12)


def test_what_was_spent_in_vain_is_told_once() -> None:
    loop = Loop()
    busy = started(loop)
    busy(lambda: None)
    loop.turns_until_asleep()
    assert 90e-6 < busy.idle_seconds() < 120e-6
    assert busy.idle_seconds() == 0


def test_where_requests_come_together_nobody_stays_awake_for_them() -> None:
    loop = Loop()
    busy = started(loop)
    loop.alone = False
    busy(lambda: None)
    assert loop.turns_until_asleep() == 1
    loop.alone = True
    busy(lambda: None)
    assert loop.turns_until_asleep() > 10


def test_where_nobody_comes_in_time_it_is_given_up_but_for_a_try_now_and_then() -> None:
    loop = Loop()
    busy = started(loop)
    awake: list[int] = []
    for _ in range(1000):
        busy(lambda: None)
        awake.append(loop.turns_until_asleep())
    assert all(turns > 10 for turns in awake[:8])
    later = awake[8:]
    assert 10 < sum(turns > 10 for turns in later) < 20
    assert sum(turns == 1 for turns in later) > 0.98 * len(later) - 1


def test_one_try_that_finds_work_brings_it_back() -> None:
    loop = Loop()
    busy = started(loop)
    for _ in range(100):
        busy(lambda: None)
        loop.turns_until_asleep()
    for _ in range(500):  # now they follow one another closely
        busy(lambda: None)
        loop.turn()
        loop.turn()
    loop.turns_until_asleep()
    busy(lambda: None)
    assert loop.turns_until_asleep() > 10


def test_a_real_loop_sleeps_again() -> None:
    # A machine that stands still leaves nothing to compare: then it is tried again.
    tries = (awake_and_asleep() for _ in range(8))
    assert any(asleep < awake / 2 for awake, asleep in tries)


def awake_and_asleep() -> tuple[float, float]:
    """This thread's seconds of processor time in the 0.2 s that it is to stay awake, and in 0.5 s after them."""

    async def used() -> tuple[float, float]:
        busy = BusyPolling(asyncio.get_running_loop().call_soon, 0.2, lambda: True)
        busy(lambda: None)
        begun = time.thread_time()
        await asyncio.sleep(0.2)
        middle = time.thread_time()
        await asyncio.sleep(0.5)
        return middle - begun, time.thread_time() - middle

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(used())
