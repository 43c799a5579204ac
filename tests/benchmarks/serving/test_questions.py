"""What is made of a schedule's answers, and the rates that are asked for."""

import contextlib
from collections.abc import Generator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from benchmarks.serving import questions
from benchmarks.serving.load import Scheduled


def answers(sent: int, *, p99: float, errors: int = 0, **counts: int) -> Scheduled:
    statuses = {int(name.removeprefix("s")): count for name, count in counts.items()}
    latencies = {status: {"p50": 1.0, "p99": p99 * status, "max": 2 * p99 * status} for status in statuses}
    return Scheduled(
        seconds=2.0,
        sent=sent,
        unsent=0,
        errors=errors,
        held=0.01,
        due=latencies,
        own=latencies,
        counts=statuses,
        calm={status: {"p50": 0.5, "p99": p99 * status / 2} for status in statuses},
        calms={status: count // 2 for status, count in statuses.items()},
    )


def test_an_overload_is_told_by_status() -> None:
    below = answers(1800, p99=1, s200=1790, s503=7, errors=3)
    above = answers(6000, p99=2, s200=1500, s503=4490, s500=6, errors=4)
    found = questions.overloaded(1000, below, above)
    assert (found["p99 at capacity"], found["refused at capacity"]) == (200, 10 / 1800)
    assert (found["sent a second"], found["accepted a second"], found["refused"]) == (3000, 750, 4490)
    assert (found["p99 accepted"], found["p99 refused"], found["max refused"]) == (400, 1006, 2012)
    assert found["others"] == 10


@dataclass(frozen=True)
class Asked:
    """A server of 1,000 requests a second, and the rates it was asked for."""

    rates: list[float] = field(default_factory=list[float])

    def closed(self, _: object) -> float:
        return 1000

    def scheduled(self, _: object, *, rate: float, **__: object) -> Scheduled:
        self.rates.append(rate)
        return answers(round(2 * rate), p99=1, s200=round(2 * rate) - 1, s503=1)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    found = Asked()

    @contextlib.contextmanager
    def ours(_: object) -> Generator[Asked]:
        yield found

    monkeypatch.setattr(questions, "_ours", ours)
    return found


BENCH = cast("Any", SimpleNamespace(seconds=1, body=lambda *_: None))


def test_an_overload_is_held_against_the_capacity_in_turns(asked: Asked) -> None:
    found = questions.overload(BENCH)
    assert asked.rates == [1000, 3000] * questions.ROUNDS
    assert (found["capacity"], found["sent a second"], found["refused"]) == (1000, 3000, questions.ROUNDS)


def test_refusals_in_an_open_loop_are_counted(asked: Asked) -> None:
    found = questions.steady(BENCH)
    assert (found["sent"], found["failed"], found["unsent"], found["held"]) == (3000, 3, 0, 0.005)
    assert (found["calm p50"], found["calm p99"], found["calm"]) == (0.5, 100, 499 * questions.ROUNDS / 3000)
    assert asked.rates == [250, *[500] * questions.ROUNDS]
