"""Overload, simulated: the real engine on an event loop whose time is counted, so that the figures are the same always.

The costs are those of 256 rows of JSON on one core: reading a request, decoding it, running it, writing an answer.
Arrivals are random (Poisson) and keep their schedule, whatever the server does.
"""

import heapq
import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from serving.core.batching import Limits
from serving.core.call import Call
from serving.core.engine import Engine
from serving.core.errors import RequestError
from serving.core.job import Answer, Answered, Job

READ, DECODE, ROW, RUN, WRITE = 20e-6, 150e-6, 0.3e-6, 10e-6, 20e-6
ROWS = 256
CAPACITY = 1 / (READ + DECODE + ROWS * ROW + WRITE)


class Simulation:
    """An event loop that reads all that has arrived, then runs its callbacks, and knows what each step costs."""

    def __init__(self, rate: float, seconds: float, connections: int = 512) -> None:
        self.now = 0.0
        self.soon: list[Callable[[], None]] = []
        self.accepted: list[float] = []
        self.refused: list[float] = []
        chance = random.Random(7)
        self.due: list[float] = []
        while not self.due or self.due[-1] < seconds:
            self.due.append((self.due[-1] if self.due else 0.0) + chance.expovariate(rate))
        self.free = connections
        service: Any = self
        self.engine = Engine(self.soon.append, limits=Limits(), clock=lambda: self.now)
        self.engine.install("", service, RUN + ROW)

    def decode(self, body: bytes, content_type: str, accept: str = "") -> Job:
        self.now += DECODE
        return Job(ROWS, [], "", body, "")

    def answer_all(self, jobs: Sequence[Job]) -> Answered:
        rows = ROWS * len(jobs)
        self.now += RUN + rows * ROW
        return Answered([Answer("", b"", ROWS)] * len(jobs), np.zeros(rows, dtype=np.float32), 0.0, 0.0)

    def warm_up(self) -> None:
        self.now += RUN + ROW

    def run(self) -> None:
        heapq.heapify(self.due)
        while self.due or self.soon:
            if not self.soon and self.due and self.due[0] > self.now:
                self.now = self.due[0]
            readable: list[float] = []
            while self.due and self.due[0] <= self.now and self.free:
                readable.append(heapq.heappop(self.due))
                self.free -= 1
            for due in readable:
                self.now += READ
                self.engine.submit(Call(b""), self.reply(due))
            callbacks = self.soon[:]
            self.soon.clear()
            for callback in callbacks:
                callback()

    def reply(self, due: float) -> Callable[[Answer | RequestError], None]:
        def replied(outcome: Answer | RequestError) -> None:
            self.now += WRITE
            self.free += 1
            (self.accepted if isinstance(outcome, Answer) else self.refused).append(self.now - due)

        return replied


def simulate(load: float, seconds: float = 4.0) -> Simulation:
    simulation = Simulation(load * CAPACITY, seconds)
    simulation.run()
    return simulation


def p99(latencies: list[float]) -> float:
    return float(np.percentile(latencies, 99))


@pytest.fixture(scope="module")
def at_capacity() -> Simulation:
    return simulate(1.0)


@pytest.fixture(scope="module")
def above() -> Simulation:
    return simulate(3.0)


def test_below_capacity_nobody_is_refused() -> None:
    below = simulate(0.7)
    assert below.refused == []
    assert p99(below.accepted) < 0.01


def test_at_three_times_its_capacity_what_is_accepted_takes_little_longer(
    at_capacity: Simulation, above: Simulation
) -> None:
    assert p99(at_capacity.accepted) == pytest.approx(Limits().wait, rel=0.2)
    assert p99(above.accepted) < 1.5 * p99(at_capacity.accepted)


def test_who_is_refused_learns_it_at_once(above: Simulation) -> None:
    assert max(above.refused) < 0.05


def test_refusing_leaves_most_of_the_time_for_answers(above: Simulation) -> None:
    # Reading and refusing cost 40 µs of the 267 µs of an answer: that leaves 65 % for answers, and no scheme has more.
    assert len(above.accepted) / above.now > 0.6 * CAPACITY
