"""Copies for shadow variants: taken when the answer is sent, run when there is nothing else to do, dropped otherwise.

A shadow must not delay anybody. So copies wait in a short queue, and one at a time is run, only after the event loop
has seen no request for a while; what takes long, be it the model or the rows, is decoded and run in a thread. What
finds the queue full is dropped and counted.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, Protocol, cast

from serving.core.batching import Lane
from serving.core.call import Aside, Call
from serving.core.engine import SLOW_SECONDS
from serving.core.errors import RequestError
from serving.core.job import Answered, Job
from serving.core.service import Service

IDLE_SECONDS: Final = 0.002
"""How long the event loop must have been without a request before a copy is run."""
WAITING: Final = 64
"""Copies that may wait."""

CallLater = Callable[[float, Callable[[], None]], object]


class ShadowObserver(Protocol):
    """Who is told what came of a copy."""

    def shadow(self, service: Service, live: Answered, shadow: Answered | None, variant: str, /) -> None:
        """`variant` answered `shadow` where the caller got `live`; None where it failed."""
        ...


class Shadows:
    """The copies of one worker."""

    def __init__(self, call_later: CallLater, observer: ShadowObserver | None, aside: Aside | None) -> None:
        """`aside` is a thread of the shadows' own, so that a slow one does not keep the slow models' thread."""
        self.lanes: Final[dict[str, Lane]] = {}
        """The models that get copies, by variant."""
        self.dropped = 0
        """Copies that were not run, for want of a quiet moment."""
        self.requests = 0
        """Requests so far, counted by whoever sees them: by this a quiet moment is told."""
        self._call_later = call_later
        self._observer = observer
        self._aside = aside
        self._waiting: deque[tuple[Lane, Call, Answered]] = deque()
        self._looking = False
        self._seen = 0

    def install(self, name: str, service: Service, one_row: float) -> None:
        """Have `service` take the copies of variant `name`."""
        self.lanes[name] = Lane(name, service, one_row, aside=self._aside is not None and one_row > SLOW_SECONDS)

    def copy(self, calls: Sequence[Call], jobs: Sequence[Job], live: Answered) -> None:
        """Let each shadow have the requests that were answered with `live`, when there is time.

        One that got an error in place of its answer leaves nothing to compare with, and is left out.
        """
        start = 0
        for call, job, answer in zip(calls, jobs, live.answers, strict=True):
            part = live.predictions[start : start + job.rows]
            start += job.rows
            if isinstance(answer, RequestError):
                continue
            if len(self._waiting) + len(self.lanes) > WAITING:
                self.dropped += 1
                continue
            for lane in self.lanes.values():
                self._waiting.append((lane, call, Answered([answer], part, 0.0, 0.0)))
        self._look_later()

    def _look_later(self) -> None:
        if self._waiting and not self._looking:
            self._looking = True
            self._seen = self.requests
            self._call_later(IDLE_SECONDS, self._look)

    def _look(self) -> None:
        """Run one copy if there was no request since this was planned."""
        self._looking = False
        if self.requests != self._seen or not self._waiting:
            self._look_later()
            return
        lane, call, live = self._waiting.popleft()
        long = lane.aside or lane.time.expected(len(live.predictions)) > SLOW_SECONDS
        if long and self._aside is not None:
            self._looking = True
            self._aside(partial(_timed, lane.service, call), partial(self._ran, lane, live))
        else:
            self._ran(lane, live, _timed(lane.service, call))

    def _ran(self, lane: Lane, live: Answered, outcome: object) -> None:
        self._looking = False
        answered, seconds = cast("tuple[Answered | None, float]", outcome)
        if answered is not None:
            lane.time.learn(len(live.predictions), seconds)
        if self._observer is not None:
            self._observer.shadow(lane.service, live, answered, lane.name)
        self._look_later()


def _timed(service: Service, call: Call) -> tuple[Answered | None, float]:
    """What `service` makes of the call, and the seconds that decoding and running it took."""
    begun = time.monotonic()
    answered = _answered(service, call)
    return answered, time.monotonic() - begun


def _answered(service: Service, call: Call) -> Answered | None:
    """What `service` makes of the call; None when it refuses it or fails."""
    try:
        answered = service.answer_all([service.decode(call.body, call.content_type, call.accept)])
    except Exception:  # a shadow's failure is a count, nothing else
        return None
    return None if isinstance(answered.answers[0], RequestError) else answered
