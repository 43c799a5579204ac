"""Whether the models answer: a fast one is asked there and then, a slow one is asked in its thread, now and then."""

import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

from serving.core.batching import Lane
from serving.core.call import Aside
from serving.core.errors import NotReadyError
from serving.core.service import Service

LATELY_SECONDS: Final = 1.0
"""How old the last answer of a model in a thread may be for `/ping` to call it ready."""
_ROWS_LATE: Final = 10
"""The same in times of one row, for a model of which a row takes long."""

Clock = Callable[[], float]


def measure(service: Service, clock: Clock = time.monotonic) -> float:
    """Seconds that `service` takes for one row, the best of three; PredictionError when it does not answer."""
    best = float("inf")
    for _ in range(3):
        begun = clock()
        service.warm_up()
        best = min(best, clock() - begun)
    return best


def check(named: Iterable[Lane], lanes: Iterable[Lane], clock: Clock) -> None:
    """NotReadyError with the reason when one of `named` does not answer.

    All models of `lanes` share the thread, so while a run of any of them is under way, and not overdue, the others
    cannot have answered lately. That is no fault of theirs.
    """
    now = clock()
    at_work = any(lane.running and now < lane.overdue_at for lane in lanes)
    for lane in named:
        if not lane.aside:
            warm_up(lane, clock)
        lately = max(LATELY_SECONDS, _ROWS_LATE * lane.time.expected(1))
        silent = clock() - lane.answered_at
        if lane.failure or (silent > lately and not at_work):
            raise NotReadyError(lane.failure or f"the model has not answered for {silent:.1f} s")


def warm_up(lane: Lane, clock: Clock) -> None:
    """Have the model answer a row here and now, to see that it does."""
    _warmed(lane, clock, _failure(lane.service))


def warm_up_aside(lane: Lane, clock: Clock, aside: Aside) -> None:
    """The same in the thread, when the model has nothing to do there."""
    if not lane.running and not lane.warming:
        lane.warming = True
        aside(partial(_failure, lane.service), partial(_warmed, lane, clock))


def _failure(service: Service) -> str:
    """Why the model does not answer a warm-up row; empty when it does."""
    try:
        service.warm_up()
    except Exception as error:  # whatever it is, the model is not ready
        return str(error) or type(error).__name__
    return ""


def _warmed(lane: Lane, clock: Clock, failure: object) -> None:
    lane.warming = False
    lane.failure = str(failure)
    if not failure:
        lane.answered_at = clock()
