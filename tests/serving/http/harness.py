"""Fronts over an engine that answers a request with its own body: with sockets in a thread's loop, or without any."""

import asyncio
import json
import socket
import time
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import h11

from serving.core.call import Call
from serving.core.errors import RequestError
from serving.core.job import Answer
from serving.http.connection import Connection
from serving.http.exchange import Shared
from serving.http.fronts import Front, FrontName, create_front
from serving.http.limits import Limits
from serving.http.observer import Observer
from serving.http.routes import Response, Site, SiteContext

BODY_LIMIT = 1000
HOLD, BUSY = b"hold", b"busy"
VARIANTS = ("blue", "green")
"""Those of the engine below; the first is the default one."""
PATIENCE = 60.0
"""Seconds after which a test waits in vain. A machine may stand still for some of them."""


def until(condition: Callable[[], bool]) -> None:
    """Wait for what the loop's thread does; a test that waits in vain fails."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


class Ticket:
    """Of the engine below."""

    variant = ""

    def __init__(self, engine: "EchoEngine", reply: Callable[[Any], None] | None, body: bytes) -> None:
        self.engine, self.reply, self.body = engine, reply, body

    def cancel(self) -> None:
        if self.reply is not None:
            self.reply = None
            self.engine.cancelled.append(self.body)

    def settle(self) -> None:
        reply, self.reply = self.reply, None
        if reply is not None:
            reply(Answer("application/json", self.body, 1))


class EchoEngine:
    """Answers with the body it was sent, in the same turn; keeps what begins with "hold", refuses "busy".

    As the engine it counts, in `counts`, what its callers were told in place of that.
    """

    def __init__(self, call_soon: Callable[..., object], counts: "Counts | None" = None) -> None:
        self.counts = counts or Counts()
        self.calls: list[Call] = []
        self.held: list[Ticket] = []
        self.cancelled: list[bytes] = []
        self.service = SimpleNamespace(spec=SimpleNamespace(serving=SimpleNamespace(max_body_bytes=BODY_LIMIT)))
        self._call_soon = call_soon

    def submit(self, call: Call, reply: Callable[[Any], None]) -> Ticket:
        self.calls.append(call)
        reply = partial(self._tell, call, reply)
        if call.body == BUSY:
            reply(RequestError("overloaded", "too much to do", status=503, retry_after=3))
            return Ticket(self, None, b"")
        ticket = Ticket(self, reply, call.body)
        if call.body.startswith(HOLD):
            self.held.append(ticket)
        else:
            self._call_soon(ticket.settle)
        return ticket

    def _tell(self, call: Call, reply: Callable[[Any], None], outcome: Any) -> None:
        try:
            reply(outcome)
        except RequestError as told:
            self.counts.refused(told.status, told.code, call=call, variant=self.variant(call.variant))

    def variant(self, named: str) -> str:
        return named if named in VARIANTS else VARIANTS[0]

    def release(self) -> None:
        for ticket in self.held:
            ticket.settle()
        self.held.clear()


class Counts:
    """An observer."""

    def __init__(self) -> None:
        self.open = 0
        self.refusals: list[tuple[int, str]] = []
        self.named: list[str] = []
        self.variants: list[str] = []

    def connections(self, change: int, /) -> None:
        self.open += change

    def refused(self, status: int, code: str, /, *, call: Call, variant: str) -> None:
        self.refusals.append((status, code))
        self.named.append(call.request_id)
        self.variants.append(variant)


def site_of(engine: Any) -> Site:
    def fails(_: SiteContext) -> Response:
        raise ZeroDivisionError("secret")

    def refuses(_: SiteContext) -> Response:
        raise RequestError("not_ready", "the model is loading", status=503, retry_after=1)

    def shows(context: SiteContext) -> Response:
        seen = {"query": context.query, "body": context.body.decode(), "method": context.method}
        return Response(body=json.dumps(seen).encode(), headers={"cache-control": "max-age=60"})

    site = Site(engine)
    site.add("/shows", shows, ("GET", "HEAD", "POST"))
    site.add("/fails", fails)
    site.add("/refuses", refuses)
    site.add("/unchanged", lambda _: Response(body=b"", status=304))
    return site


@dataclass
class Reply:
    """An answer as h11 understood it."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> dict[str, Any]:
        return json.loads(self.body)["error"]


def parse(data: bytes, method: str = "POST", *, ended: bool = False) -> tuple[Reply | None, bytes]:
    """The first answer in `data` and what follows it; None while it is not complete. h11 raises at what is wrong."""
    judge = h11.Connection(h11.CLIENT)
    judge.send(h11.Request(method=method, target="/", headers=[("host", "x")]))
    judge.send(h11.EndOfMessage())
    judge.receive_data(data)
    if ended:
        judge.receive_data(b"")
    reply: Reply | None = None
    while True:
        event = judge.next_event()
        if event is h11.NEED_DATA:
            return None, data
        if isinstance(event, h11.Response | h11.InformationalResponse):
            reply = Reply(event.status_code, {k.decode(): v.decode() for k, v in event.headers}, b"")
            if isinstance(event, h11.InformationalResponse):
                return reply, judge.trailing_data[0]
        elif isinstance(event, h11.Data):
            cast("Reply", reply).body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            return reply, judge.trailing_data[0]


class Client:
    """A raw socket, read by h11."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self._read = b""

    def send(self, data: bytes) -> "Client":
        self.socket.sendall(data)
        return self

    def answer(self, method: str = "POST") -> Reply:
        while True:
            reply, rest = parse(self._read, method) if self._read else (None, b"")
            if reply is not None:
                self._read = rest
                return reply
            data = self.socket.recv(65536)
            self._read += data
            if not data:
                reply, self._read = parse(self._read, method, ended=True)
                assert reply is not None
                return reply

    def closed(self) -> bool:
        """Whether the server closes, with nothing more to say."""
        try:
            return not (self._read or self.socket.recv(65536))
        except ConnectionResetError:
            return True

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


class Server:
    """A front on a port of its own, in the loop of the thread."""

    def __init__(self, run: Callable[[Coroutine[Any, Any, Any]], Any], name: FrontName, limits: Limits) -> None:
        self._run = run
        self.name: FrontName = name
        self.counts = Counts()
        with socket.socket() as listener:
            # Small buffers, so that a caller who does not read is noticed soon.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            listener.bind(("127.0.0.1", 0))
            listener.listen(100)
            self.port: int = listener.getsockname()[1]
            self._front: Front = run(self._start(listener, limits))

    async def _start(self, listener: socket.socket, limits: Limits) -> Front:
        self.loop = asyncio.get_running_loop()
        self.engine = EchoEngine(self.loop.call_soon, self.counts)
        engine = cast("Any", self.engine)
        front = create_front(self.name, engine, site_of(engine), limits, self.counts)
        await front.start([listener])
        return front

    def connect(self) -> Client:
        return Client(self.port)

    def release(self) -> None:
        self.loop.call_soon_threadsafe(self.engine.release)

    def stop(self, seconds: float = 0.0) -> None:
        self._run(self._front.stop(seconds))

    def stop_soon(self, seconds: float) -> Any:
        """Begin to stop; a future. It has begun when this returns, so that whatever is sent now meets a stop."""
        stopped = asyncio.run_coroutine_threadsafe(self._front.stop(seconds), self.loop)
        self._run(asyncio.sleep(0))
        return stopped


class Clock:
    """An event loop of which a test turns the hands."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._soon: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()

    def time(self) -> float:
        return self.now

    def call_soon(self, function: Callable[..., object], *arguments: Any) -> None:
        self._soon.append((function, arguments))

    def turn(self) -> None:
        """Run everything that was asked for, and what that asks for."""
        while self._soon:
            function, arguments = self._soon.popleft()
            function(*arguments)

    def once(self) -> None:
        """Run what was asked for so far: one turn of a real loop."""
        for _ in range(len(self._soon)):
            function, arguments = self._soon.popleft()
            function(*arguments)


class Transport:
    """What a connection writes, and what it asks of its transport."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.closed = False
        self.aborted = False
        self.half_closed = False
        self.reading = True

    def write(self, data: bytes) -> None:
        assert not self.closed
        self.written.append(data)

    def write_eof(self) -> None:
        self.half_closed = True

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.aborted = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


class Bench:
    """A connection of the default front without sockets or time."""

    def __init__(
        self, make_engine: Callable[[Any], Any] | None = None, observer: Observer | None = None, **limits: Any
    ) -> None:
        self.clock = Clock()
        self.counts = Counts()
        self.engine = EchoEngine(self.clock.call_soon, self.counts)
        engine = make_engine(self.clock.call_soon) if make_engine else cast("Any", self.engine)
        observer = observer or self.counts
        self.shared = Shared(
            engine, site_of(engine), Limits(**limits), observer, cast("Any", self.clock), clock=self.clock.time
        )
        self.connection, self.transport = self.connect()

    def connect(self) -> tuple[Connection, Transport]:
        connection, transport = Connection(self.shared), Transport()
        connection.connection_made(cast("Any", transport))
        return connection, transport

    def read(self, *parts: bytes) -> None:
        """Each part is what one turn of the loop finds to read; nothing is read from a closed transport."""
        for part in parts:
            if part and not self.transport.closed:
                assert self.transport.reading
                self.connection.data_received(part)
            self.clock.turn()

    def later(self, seconds: float) -> None:
        self.clock.now += seconds
        self.shared.tick()
        self.clock.turn()

    @property
    def output(self) -> bytes:
        return b"".join(self.transport.written)

    def answers(self) -> list[Reply]:
        """Everything written, as h11 understands it."""
        found: list[Reply] = []
        rest = self.output
        while rest:
            reply, rest = parse(rest)
            assert reply is not None, rest
            found.append(reply)
        return found


def post(body: bytes, *headers: str, path: str = "/invocations", version: str = "1.1") -> bytes:
    """A request with its length."""
    lines = [f"POST {path} HTTP/{version}", "Host: x", "Content-Type: application/json", *headers]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


def get(path: str, *headers: str, method: str = "GET") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", *headers, "", ""]).encode()
