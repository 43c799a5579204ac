"""The queue in front of one model: what waits, how long it will take, and how much of it goes into one run.

A model's time is measured, not configured: every run corrects an estimate of seconds a run and seconds a row. Whether
a request may still join the queue, and how many rows one run may hold before the event loop gets its turn, follow from
that estimate, so that a slow model has a short queue and a fast one a long one, with the same settings.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec

from serving.core.call import Call
from serving.core.errors import RequestError
from serving.core.job import Answer, Answered, Job
from serving.core.service import Service

_LEAST: Final = 1e-9
_PACE_RATE: Final = 0.2
_SWEEP: Final = 32
"""Fewer requests whose callers have left are not worth going through those that wait."""
_OVERDUE: Final = 4.0
"""A run in the thread may take so many times what is expected of it,"""
_OVERDUE_SECONDS: Final = 1.0
"""and so much more, before it is thought never to end."""
Reply = Callable[[Answer | RequestError], None]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What the queue holds. Time is in seconds."""

    jobs: int = 4096
    """Most requests that wait."""
    rows: int = 262_144
    """Most rows that wait."""
    wait: float = 0.025
    """Longest expected wait of a request that is still let in: its own turn so far and the work before it."""
    always: int = 32
    """As many requests may wait even if that takes longer: callers that come together are no overload."""
    run_rows: int = 4096
    """Most rows of one run, but for a request that is larger by itself."""
    run: float = 0.005
    """Expected time after which a run ends and the event loop gets its turn."""
    aside: float = 0.25
    """The same for a model that runs in a thread, where it delays nobody but its own callers."""
    deadline: float = 60.0
    """How long a caller waits that does not say so: what InvokeEndpoint gives a container."""


class ServiceTime:
    """Seconds that `rows` rows take in one run, as `per_run + rows * per_row`, learnt from every run.

    The correction is normalised least mean squares: each run moves the estimate a part of the way to what it took, so
    that small runs teach the first term, large ones the second, and a machine that grew slower is noticed. A single run
    that the system interrupted counts as a few times the estimate, not as the thousandfold that it took.
    """

    __slots__ = ("per_row", "per_run")
    _RATE = 0.2
    _OUTLIER = 4.0

    def __init__(self, one_row: float) -> None:
        self.per_run = self.per_row = max(one_row / 2, _LEAST)

    def expected(self, rows: int) -> float:
        """Seconds that a run of `rows` rows is expected to take."""
        return self.per_run + rows * self.per_row

    def learn(self, rows: int, seconds: float) -> None:
        """Correct the estimate by a run that took `seconds`."""
        expected = self.expected(rows)
        step = self._RATE * (min(seconds, self._OUTLIER * expected) - expected) / (1 + rows * rows)
        self.per_run = max(self.per_run + step, 0.0)
        self.per_row = max(self.per_row + step * rows, _LEAST)

    def rows_within(self, seconds: float) -> int:
        """How many rows a run of `seconds` holds; it can be none."""
        return int(max(seconds - self.per_run, 0.0) / self.per_row)


class Ticket(msgspec.Struct, gc=False, eq=False):
    """An accepted request: it is replied to exactly once, or cancelled. Made for every request, so a cheap struct."""

    call: Call
    job: Job
    reply: Reply | None
    """None once it was replied to or cancelled."""
    submitted: float
    deadline: float
    lane: "Lane | None"
    """Where it waits; None once its run began."""
    variant: str = ""
    """Which variant answers; empty where there is only one."""

    def cancel(self) -> None:
        """The caller went away: no reply from now on, and no work if it has not begun."""
        if self.reply is not None:
            self.reply = None
            if self.lane is not None:
                self.lane.drop(self)

    def settle(self, outcome: Answer | RequestError) -> None:
        """Reply, unless that was done or nobody waits any more."""
        reply, self.reply = self.reply, None
        if reply is not None:
            reply(outcome)


Outcomes = list[tuple[list[Ticket], list[Job], Answered | Exception]]
"""What became of the requests of a run, by those that went through the model together."""
SETTLED: Final = Ticket(Call(b""), Job(0, (), "", b"", ""), None, 0.0, 0.0, None)
"""The ticket of every request that was refused: there is nothing left to cancel."""
_NO_CALL: Final = SETTLED.call
_NO_JOB: Final = SETTLED.job


def nobody() -> None:
    """Nobody counts."""


class Lane:
    """One model and the requests that wait for it, in the order they came."""

    def __init__(
        self, name: str, service: Service, one_row: float, *, aside: bool = False, dropped: Callable[[], None] = nobody
    ) -> None:
        self.name: Final = name
        self.service: Final = service
        self.time: Final = ServiceTime(one_row)
        self.aside: Final = aside
        """Whether the model is so slow that it runs in a thread beside the event loop."""
        self.running: tuple[Ticket, ...] = ()
        """What runs in that thread now."""
        self.running_until = 0.0
        """When that is expected to end."""
        self.overdue_at = 0.0
        """When that should have ended by any means: from then on the model is thought not to answer."""
        self.answered_at = 0.0
        """When the model last answered, by the engine's clock."""
        self._pace = 0.0
        """Seconds a row from one run to the next while requests wait: with reading and refusing others in between."""
        self._ran_at = 0.0
        self._left_waiting = False
        """Whether the last run left requests waiting."""
        self.failure = ""
        """Why it did not answer the last warm-up row."""
        self.warming = False
        """Whether a warm-up row is in that thread now."""
        self._dropped = dropped
        self.jobs = 0
        self.rows = 0
        self.decode_seconds = 0.0
        """Time spent on decoding since the last run."""
        self._waiting: deque[Ticket] = deque()
        self._gone = 0
        """How many of those have nobody who waits for an answer."""

    def put(self, ticket: Ticket) -> None:
        """Let a request wait."""
        self._waiting.append(ticket)
        self.jobs += 1
        self.rows += ticket.job.rows

    def drop(self, ticket: Ticket) -> None:
        """A request that waits needs no answer any more.

        Its body is let go at once, and its place once half of the places are such: so callers that come and leave
        while a long run holds the queue up take no more memory than those that stay.
        """
        self._dropped()
        self.jobs -= 1
        self.rows -= ticket.job.rows
        ticket.call, ticket.job, ticket.lane = _NO_CALL, _NO_JOB, None
        self._gone += 1
        if self._gone >= _SWEEP and 2 * self._gone > len(self._waiting):
            self._waiting = deque(waiting for waiting in self._waiting if waiting.reply is not None)
            self._gone = 0

    def begin(self, tickets: list[Ticket], now: float) -> None:
        """`tickets` begin to run in the thread."""
        self.running = tuple(tickets)
        expected = self.expected(tickets)
        self.running_until = now + expected
        self.overdue_at = now + _OVERDUE * expected + _OVERDUE_SECONDS

    def expected(self, tickets: list[Ticket]) -> float:
        """Seconds that a run of `tickets` is expected to take."""
        return self.time.expected(sum([ticket.job.rows for ticket in tickets]))

    @property
    def busy(self) -> bool:
        """Whether somebody still waits for this model."""
        return bool(self.jobs or self.running)

    def wait(self, now: float) -> float:
        """Seconds that a request which came now would wait for its run."""
        queued = max(self.time.expected(self.rows), self.rows * self._pace) if self.jobs else 0.0
        return queued + max(self.running_until - now, 0.0) if self.running else queued

    def ran(self, rows: int, begun: float, now: float) -> None:
        """A run of `rows` rows has ended: learn how long such a run takes, and how fast the queue gets shorter."""
        if rows:
            if self._left_waiting:
                self._pace += _PACE_RATE * ((now - self._ran_at) / rows - self._pace)
            self.time.learn(rows, now - begun)
        self._left_waiting = self.jobs > 0
        self.answered_at = self._ran_at = now

    def take(self, limits: Limits, now: float) -> tuple[list[Ticket], list[Ticket]]:
        """The requests of the next run, and those whose callers' time is over."""
        most = min(self.time.rows_within(limits.aside if self.aside else limits.run), limits.run_rows)
        waiting = self._waiting
        if self.rows <= most:
            taken = [ticket for ticket in waiting if ticket.reply is not None and ticket.deadline >= now]
            if len(taken) == len(waiting):
                waiting.clear()
                self.jobs = self.rows = 0
                for ticket in taken:
                    ticket.lane = None
                return taken, []
        return self._take_some(most, now)

    def _take_some(self, most: int, now: float) -> tuple[list[Ticket], list[Ticket]]:
        """The same, one by one: some have left, are late, or have to wait for another run."""
        taken: list[Ticket] = []
        late: list[Ticket] = []
        rows = 0
        waiting = self._waiting
        while waiting:
            ticket = waiting[0]
            if ticket.reply is not None:
                size = ticket.job.rows
                if ticket.deadline < now:
                    late.append(ticket)
                elif taken and rows + size > most:
                    break
                else:
                    taken.append(ticket)
                    rows += size
                ticket.lane = None
                self.jobs -= 1
                self.rows -= size
            else:
                self._gone -= 1
            waiting.popleft()
        return taken, late


def attempt(service: Service, tickets: list[Ticket]) -> Outcomes:
    """Have `service` answer `tickets` in one run; if that fails as a whole, each alone, so that one harms no other."""
    jobs = [ticket.job for ticket in tickets]
    try:
        return [(tickets, jobs, service.answer_all(jobs))]
    except Exception as error:
        if len(tickets) == 1:
            return [(tickets, jobs, error)]
        return [outcome for ticket in tickets for outcome in attempt(service, [ticket])]
