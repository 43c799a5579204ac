"""From a request to its answer: whatever became readable in one turn of the event loop goes through the model together.

A request is decoded the moment it is submitted. The first one of a turn asks for a run by `call_soon`, which comes
after every socket that was readable has been read: so a batch forms by itself under load, and a lone request waits for
nobody. Everything here belongs to the event loop's thread; time, the loop and the thread for slow models are handed in.
"""

import sys
import time
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, cast

from serving.core import readiness
from serving.core.batching import SETTLED, Lane, Limits, Outcomes, Reply, Ticket, attempt, nobody
from serving.core.call import Aside, Call, Observer, Router
from serving.core.errors import NotReadyError, RequestError, bare
from serving.core.overload import LATE, refusal
from serving.core.readiness import measure
from serving.core.service import Service

SLOW_SECONDS: Final = 0.005
"""A model that takes longer for one row runs in a thread, so that the event loop goes on answering `/ping`."""
LONG_SECONDS: Final = 0.05
"""So does any other model with a run that is expected to take longer, such as one request of very many rows."""

CallSoon = Callable[[Callable[[], None]], object]


class Engine:
    """Accepts requests and has them answered; before `install` gave it a model, all it has is a reason why not."""

    def __init__(
        self,
        call_soon: CallSoon,
        *,
        observer: Observer | None = None,
        limits: Limits | None = None,
        aside: Aside | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits: Final = limits or Limits()
        self._room = min(self.limits.always, self.limits.jobs)
        self._call_soon = call_soon
        self._observer = observer
        self._aside = aside
        self._clock = clock
        self._named: dict[str, Lane] = {}
        self._lanes: tuple[Lane, ...] = ()
        """Those in `_named`, and those that were replaced and have yet to answer what they accepted."""
        self._default: Lane | None = None
        self._router: Router | None = None
        self._reason = "the model is loading"
        self._scheduled = False
        self._turn_began = 0.0
        self.together = 0
        """Requests of the last run."""

    def submit(self, call: Call, reply: Reply) -> Ticket:
        """Decode `call` and let it wait for its run. Never raises.

        `reply` is called exactly once: before this returns for a refusal, else from a later callback of the event
        loop; and never after `cancel` of the ticket. Where it cannot tell the outcome it raises: a RequestError is what
        it told in its place, anything else that it told nothing. That is what counts.
        """
        now = self._clock()
        limits = self.limits
        deadline = call.deadline
        lane = self._default
        try:
            lane = self._lane(call)
            # Mostly there is room and no hurry: then nothing needs to be estimated.
            if lane.jobs >= self._room or lane.rows >= limits.rows or deadline is not None:
                reading = now - self._turn_began if self._scheduled else 0.0
                error = refusal(lane, limits, deadline, now, reading)
                if error is not None:
                    return self._refuse(error, call, reply, lane)
            job = lane.service.decode(call.body, call.content_type, call.accept)
        except RequestError as error:
            return self._refuse(error, call, reply, lane)
        except Exception as error:
            return self._refuse(_internal(error), call, reply, lane)
        lane.decode_seconds += self._clock() - now
        if deadline is None:
            deadline = now + limits.deadline
        ticket = Ticket(call, job, reply, now, deadline, lane, lane.name)
        lane.put(ticket)
        if not self._scheduled:
            self._turn_began = now
            self._schedule()
        return ticket

    def install(self, name: str, service: Service, one_row: float) -> None:
        """Have `service` answer as variant `name` from the next request on; `one_row` is what `measure` found.

        What waits for the model that had the name before is still answered by it, since it was decoded for that one.
        """
        slow = self._aside is not None and one_row > SLOW_SECONDS
        dropped = nobody if self._observer is None else self._observer.cancelled
        lane = Lane(name, service, one_row, aside=slow, dropped=dropped)
        lane.answered_at = self._clock()
        before = self._named.get(name)
        self._named[name] = lane
        self._lanes = (*self._lanes, lane)
        self._prune()
        if self._default is None or self._default is before:
            self._default = lane

    def replace(self, service: Service) -> None:
        """Have `service` answer from the next request on, where there is one model only."""
        self.install("", service, measure(service, self._clock))

    def route(self, router: Router | None, default: str = "") -> None:
        """Let `router` decide between the installed variants; `default` is the one that `service` shows."""
        self._router = router
        self._default = self._named[default]

    def remove(self, name: str) -> None:
        """Forget a variant; what waits for it is still answered."""
        del self._named[name]
        self._prune()

    def failed(self, reason: str) -> None:
        """Refuse what comes from now on, with the reason; what was accepted is still answered."""
        self._default, self._router, self._reason = None, None, reason

    @property
    def pending(self) -> int:
        """Requests that were accepted and not answered yet."""
        return sum(lane.jobs + len(lane.running) for lane in self._lanes)

    @property
    def service(self) -> Service:
        """The model to answer with, the default one of several; NotReadyError says why there is none."""
        if self._default is None:
            raise NotReadyError(self._reason)
        return self._default.service

    @property
    def services(self) -> Mapping[str, Service]:
        """All models by the name of their variant."""
        return {name: lane.service for name, lane in self._named.items()}

    def variant(self, named: str) -> str:
        """The variant that a request counts for which a front refused: the one that it names, else the default one.

        Empty where there is one model without a name, or none yet.
        """
        if named in self._named:
            return named
        return "" if self._default is None else self._default.name

    def check(self) -> None:
        """Whether every model answers: a fast one is asked now, a slow one must have answered lately.

        NotReadyError with the reason when one does not.
        """
        _ = self.service
        readiness.check(self._named.values(), self._lanes, self._clock)

    def warm_up(self) -> None:
        """Have every model answer a row, to see that it does; a slow one in its thread, when that is free."""
        for lane in self._named.values():
            if not lane.aside or self._aside is None:
                readiness.warm_up(lane, self._clock)
            else:
                readiness.warm_up_aside(lane, self._clock, self._aside)

    def _prune(self) -> None:
        """Forget the models that were replaced and have answered all that they accepted: each is as large as ever."""
        named = set(map(id, self._named.values()))
        self._lanes = tuple(lane for lane in self._lanes if id(lane) in named or lane.busy)

    def _lane(self, call: Call) -> Lane:
        if self._router is not None:
            return self._named[self._router.choose(call)]
        lane = self._default
        if lane is None:
            raise NotReadyError(self._reason)
        if call.variant and call.variant != lane.name:
            raise RequestError("unknown_variant", f"there is no variant {call.variant!r}; this server has one model")
        return lane

    def _refuse(self, error: RequestError, call: Call, reply: Reply, lane: Lane | None) -> Ticket:
        """Reply, then count what was told, once, whatever becomes of the reply."""
        told = _told(reply, error)
        self._refused(told, call, "" if lane is None else lane.name)
        return SETTLED

    def _refused(self, error: RequestError, call: Call, variant: str) -> None:
        if self._observer is None:
            return
        try:
            self._observer.refused(error.status, error.code, call=call, variant=variant)
        except Exception:  # what the observer does wrong harms no request
            sys.stderr.write(traceback.format_exc())

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._call_soon(self._turn)

    def _turn(self) -> None:
        """One run of every model that has something to do; what is left waits until the event loop had its turn."""
        self._scheduled = False
        for lane in self._lanes:
            if lane.jobs and not lane.running:
                self._run(lane)
                if lane.jobs and not lane.running:
                    self._schedule()
        if len(self._lanes) > len(self._named):
            self._prune()
        self._turn_began = self._clock()

    def _run(self, lane: Lane) -> None:
        begun = self._clock()
        tickets, late = lane.take(self.limits, begun)
        self._fail(lane, late, LATE)
        if not tickets:
            return
        self.together = len(tickets)
        if self._aside is not None and (lane.aside or lane.expected(tickets) > LONG_SECONDS):
            lane.begin(tickets, begun)
            self._aside(partial(attempt, lane.service, tickets), partial(self._ran_aside, lane, begun))
        else:
            self._finish(lane, begun, attempt(lane.service, tickets))

    def _ran_aside(self, lane: Lane, begun: float, outcomes: object) -> None:
        lane.running = ()
        self._finish(lane, begun, cast("Outcomes", outcomes))
        self._schedule()

    def _finish(self, lane: Lane, begun: float, outcomes: Outcomes) -> None:
        rows = 0
        for tickets, _, outcome in outcomes:
            if isinstance(outcome, Exception):
                self._fail(lane, tickets, _internal(outcome))
                continue
            rows += len(outcome.predictions)
            for ticket, answer in zip(tickets, outcome.answers, strict=True):
                reply, ticket.reply = ticket.reply, None
                if reply is not None:
                    try:
                        reply(answer)
                    except Exception as error:  # one caller that cannot be told harms no other, and is no success
                        outcome.answers[tickets.index(ticket)] = _in_place(error)
        lane.ran(rows, begun, self._clock())
        try:
            self._observe(lane, begun, outcomes)
        except Exception:  # the answers are on their way: whatever the observer does wrong harms no request
            sys.stderr.write(traceback.format_exc())

    def _fail(self, lane: Lane, tickets: list[Ticket], error: RequestError) -> None:
        """Refuse requests that were accepted."""
        for ticket in tickets:
            told = _told(ticket.settle, error)  # one caller that cannot be told harms no other
            self._refused(told, ticket.call, lane.name)

    def _observe(self, lane: Lane, begun: float, outcomes: Outcomes) -> None:
        decode_seconds, lane.decode_seconds = lane.decode_seconds, 0.0
        for tickets, jobs, outcome in outcomes:
            if isinstance(outcome, Exception):
                continue
            calls = [ticket.call for ticket in tickets]
            if self._observer is not None:
                queued = [begun - ticket.submitted for ticket in tickets]
                self._observer.batch(
                    lane.service, jobs, outcome, queued, decode_seconds, calls=calls, variant=lane.name
                )
            if self._router is not None:
                self._router.answered(calls, jobs, outcome)
            decode_seconds = 0.0


def _told(reply: Reply, error: RequestError) -> RequestError:
    """What a caller was told who was to be told `error`. Never raises."""
    try:
        reply(error)
    except Exception as wrong:
        return _in_place(wrong)
    return error


def _in_place(error: Exception) -> RequestError:
    """What a caller was told whose reply raised `error`: that itself, or nothing, which is a failure of ours."""
    return bare(error) if isinstance(error, RequestError) else _internal(error)


def _internal(error: Exception) -> RequestError:
    """A sentence for the caller; the trace is for us."""
    sys.stderr.write("".join(traceback.format_exception(error)))
    return RequestError("internal", "the server failed on this request", status=500)
