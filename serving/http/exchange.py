"""One request of a connection and its answer, and what all connections of a front share."""

import asyncio
from typing import TYPE_CHECKING, Final

from serving.core.batching import Ticket
from serving.core.engine import Engine
from serving.core.errors import RequestError
from serving.core.job import Answer
from serving.http.admission import RequestIds, body_limit
from serving.http.head import Head, parse_head
from serving.http.limits import Limits
from serving.http.observer import NoObserver, Observer
from serving.http.routes import Response, Site, refusal
from serving.http.writer import Writer

if TYPE_CHECKING:
    from serving.http.connection import Connection

_REMEMBERED_HEADS: Final = 1024
_REMEMBERED_BYTES: Final = 2048


class Shared:
    """What the connections of one front have in common. Only the event loop's thread touches it."""

    __slots__ = (
        "body_limit",
        "closing",
        "connections",
        "engine",
        "gone",
        "heads",
        "ids",
        "limits",
        "loop",
        "most_connections",
        "now",
        "observer",
        "site",
        "stopping",
        "writer",
    )

    def __init__(
        self, engine: Engine, site: Site, limits: Limits, observer: Observer | None, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.engine: Final = engine
        self.site: Final = site
        self.limits: Final = limits
        self.observer: Final = observer or NoObserver()
        self.loop: Final = loop
        self.writer: Final = Writer()
        self.ids: Final = RequestIds()
        self.heads: Final[dict[bytes, Head]] = {}
        """Heads of calls seen before, by their bytes: a parse saved for callers that repeat themselves."""
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
        self.body_limit = body_limit(engine, limits)

    def tick(self) -> None:
        """What is done every half second: see the time, and the connections whose time is over."""
        self.now = now = self.loop.time()
        self.writer.tick()
        self.body_limit = body_limit(self.engine, self.limits)
        for connection in [connection for connection in self.connections if connection.deadline < now]:
            connection.expire()
        if self.closing:
            for connection in tuple(self.connections):
                connection.stop()

    def head(self, raw: bytes) -> Head:
        """The head that `raw` is, RequestError when it is none."""
        head = parse_head(raw, self.limits)
        # A head that names its request is never seen again.
        if head.direct and len(raw) <= _REMEMBERED_BYTES and not (head.request_id or head.traceparent):
            if len(self.heads) >= _REMEMBERED_HEADS:
                self.heads.clear()
            self.heads[raw] = head
        return head


class Exchange:
    """A request that waits for its answer, or for the answers before it to be written."""

    __slots__ = ("connection", "http11", "last", "output", "request_id", "ticket")

    def __init__(self, connection: "Connection", request_id: str, *, http11: bool, last: bool) -> None:
        self.connection: Final = connection
        self.request_id: Final = request_id.encode()
        self.http11: Final = http11
        self.last = last
        """Whether the connection closes behind its answer."""
        self.ticket: Ticket | None = None
        self.output: bytes | None = None

    def reply(self, outcome: Answer | RequestError) -> None:
        """The engine's outcome."""
        if isinstance(outcome, RequestError):
            self.respond(refusal(outcome))
            return
        connection, ticket = self.connection, self.ticket
        variant = ticket.variant if ticket is not None else ""
        writer = connection.shared.writer
        self.output = writer.answer(outcome, self.request_id, connection.ending(self), variant)
        connection.answered(self)

    def respond(self, response: Response, *, head_only: bool = False) -> None:
        """Any other answer."""
        connection = self.connection
        ending = connection.ending(self)
        self.output = connection.shared.writer.response(response, self.request_id, ending, head_only=head_only)
        connection.answered(self)
