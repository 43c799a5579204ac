"""One request of a connection and its answer, and what all connections of a front share."""

import asyncio
import sys
import time
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from serving.core.batching import Ticket
from serving.core.call import Call
from serving.core.engine import Engine
from serving.core.errors import RequestError
from serving.core.job import Answer
from serving.http.admission import RequestIds, body_limit, deadline_of
from serving.http.head import Head
from serving.http.limits import Limits
from serving.http.memory import HeadMemory
from serving.http.observer import NoObserver, Observer, report
from serving.http.routes import Response, Site, failure, refusal
from serving.http.turns import Turns
from serving.http.writer import CLOSE, KEEP, Writer

if TYPE_CHECKING:
    from serving.http.answering import Answering
    from serving.http.connection import Connection


class Shared:
    """What the connections of one front have in common. Only the event loop's thread touches it."""

    __slots__ = (
        "body_limit",
        "closing",
        "connections",
        "engine",
        "gone",
        "heads",
        "idle_until",
        "ids",
        "known_heads",
        "limits",
        "loop",
        "most_connections",
        "now",
        "observer",
        "site",
        "stopping",
        "turns",
        "writer",
    )

    def __init__(
        self,
        engine: Engine,
        site: Site,
        limits: Limits,
        observer: Observer | None,
        loop: asyncio.AbstractEventLoop,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.engine: Final = engine
        self.site: Final = site
        self.limits: Final = limits
        self.observer: Final = observer or NoObserver()
        self.loop: Final = loop
        self.turns: Final = Turns(loop.call_soon, clock)
        self.writer: Final = Writer()
        self.ids: Final = RequestIds()
        self.heads: Final = HeadMemory(limits)
        self.known_heads: Final = self.heads.known
        self.connections: Final[set[Connection]] = set()
        self.most_connections = limits.connections
        self.stopping = False
        """Whether every answer is the last of its connection, where nothing follows it."""
        self.closing = False
        """Whether connections without a request are closed."""
        self.gone: asyncio.Event | None = None
        """Set when the last connection has gone, for whoever waits for that."""
        self.now = self.loop.time()
        """The time of the last tick: good enough for limits of seconds, and it costs nothing to read."""
        self.idle_until = self.now + limits.idle_seconds
        """When a connection that falls idle now has been so for too long."""
        self.body_limit = body_limit(engine, limits)

    def tick(self) -> None:
        """What is done every half second: see the time, and the connections whose time is over."""
        self.now = now = self.loop.time()
        self.idle_until = now + self.limits.idle_seconds
        self.writer.tick()
        self.body_limit = body_limit(self.engine, self.limits)
        for connection in [connection for connection in self.connections if connection.deadline < now]:
            connection.expire()
        if self.closing:
            for connection in tuple(self.connections):
                connection.stop()


class Exchange(Call):
    """A request that waits for its answer, or for the answers before it to be written: a call and its way back.

    It is the call itself, since one object fewer for every request is worth the closeness.
    """

    __slots__ = ("connection", "http11", "last", "output", "ticket")

    def __init__(self, connection: "Answering", request_id: str, head: Head | None, body: bytes = b"") -> None:
        self.connection = connection
        self.request_id = request_id
        self.body = body
        self.ticket: Ticket | None = None
        self.output: bytes | None = None
        self.http11 = head is None or head.http11
        self.last = head is not None and not head.keep_alive
        """Whether the connection closes behind the answer."""
        if head is None:
            self.variant = self.traceparent = ""
            return
        self.content_type = head.content_type
        self.accept = head.accept
        self.variant = head.variant
        self.traceparent = head.traceparent
        self.deadline = deadline_of(head) if head.deadline_ms else None

    def reply(self, outcome: Answer | RequestError) -> None:
        """The engine's outcome, which the engine counts; raises, as RequestError, what was told in its place."""
        try:
            if isinstance(outcome, RequestError):
                self.ticket = None
                self._refused(outcome)
                return
            connection, ticket = self.connection, self.ticket
            shared = connection.shared
            ending = CLOSE if self.last else KEEP
            if shared.stopping or not self.http11:
                ending = connection.ending(self)
            variant = ticket.variant if ticket is not None else ""
            # The ticket holds the call, which is this: a circle that only the collector would find.
            self.ticket = None
            connection.trusted = True
            self.output = shared.writer.answer(outcome, self.request_id.encode(), ending, variant)
            connection.answered(self)
        except Exception:
            error = failure()
            self._tell(error)
            raise error from None

    def cancel(self) -> None:
        """Nobody waits for the answer any more."""
        ticket, self.ticket = self.ticket, None
        if ticket is not None:
            ticket.cancel()

    def respond(self, response: Response, *, head_only: bool = False) -> None:
        """Any other answer; a refusal in its place is counted. Never raises."""
        try:
            self._write(response, head_only=head_only)
            self.connection.answered(self)
        except Exception:
            self._fail(head_only=head_only)

    def refuse(self, error: RequestError, allow: str = "", *, head_only: bool = False) -> None:
        """A refusal of the front's own; what can be told is what is counted, once. Never raises."""
        try:
            self._write(refusal(error, allow), head_only=head_only)
            self._count(error)
            self.connection.answered(self)
        except Exception:
            self._fail(head_only=head_only)

    def _refused(self, error: RequestError) -> None:
        connection = self.connection
        if error.status < 500:
            connection.trusted = False
        self._write(refusal(error))
        connection.answered(self)
        connection.shared.turns.spent()  # to find what is wrong takes longer than to read what is right

    def _write(self, response: Response, *, head_only: bool = False) -> None:
        connection = self.connection
        ending = connection.ending(self)
        writer = connection.shared.writer
        self.output = writer.response(response, self.request_id.encode(), ending, head_only=head_only)

    def _count(self, error: RequestError) -> None:
        shared = self.connection.shared
        report(shared.observer, shared.engine, error, self.request_id, self)

    def _fail(self, *, head_only: bool = False) -> None:
        """An answer of the front's own cannot be told, which counts unless it was counted as what it was to be."""
        error = failure()
        if self.output is None:
            self._count(error)
        self._tell(error, head_only=head_only)

    def _tell(self, error: RequestError, *, head_only: bool = False) -> None:
        """The answer cannot be written: a 500 in its place, or the end of the connection where that cannot be, either.

        A caller that has neither would wait for ever.
        """
        self.ticket = None
        try:
            if self.output is None:
                self._write(refusal(error), head_only=head_only)
                self.connection.answered(self)
                return
        except Exception:
            sys.stderr.write(traceback.format_exc())
        self.connection.give_up()
