"""The other front: a raw ASGI application over the same engine and site, for uvicorn or any other ASGI server.

Whatever a caller does wrong is a 4xx with a JSON body; 5xx means that we are at fault, or not ready. What is not valid
HTTP, how long headers may take and how many connections there may be is the server's, not the application's. How long
a turn of the event loop may go on is bounded as by the other front (serving/http/turns.py): a server wakes all whose
bodies have come, and they would be decoded one after another before anything else.
"""

import asyncio
import contextlib
import sys
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeVar, cast

from serving.core.batching import SETTLED, Ticket
from serving.core.engine import Engine
from serving.core.errors import RequestError, bare
from serving.core.job import Answer
from serving.http.admission import RequestIds, admit, body_limit, call_of, context_of, is_call
from serving.http.body import Body, Receive
from serving.http.head import Head, read_head
from serving.http.limits import Limits
from serving.http.observer import NoObserver, Observer, report
from serving.http.routes import Response, Site, failure, refusal
from serving.http.turns import Turns, stands_behind
from serving.http.writer import BODILESS, EVERYWHERE, VARIANT

_CALLERS = 4096
"""Callers of whom it is remembered whether they were refused."""
Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Client = tuple[str, int] | None
"""Address and port of a caller, as the server tells it: one for each connection."""
Done = TypeVar("Done")


class Application:
    """The ASGI application. The engine must belong to the event loop that runs it."""

    def __init__(
        self, engine: Engine, site: Site, limits: Limits | None = None, observer: Observer | None = None
    ) -> None:
        self._engine = engine
        self._site = site
        self._limits = limits or Limits()
        self._observer = observer or NoObserver()
        self._ids = RequestIds()
        self._turns: Turns | None = None
        self._trusted: dict[Client, bool] = {}
        """Who was not refused for the last request, as `Answering.trusted`."""

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request; other kinds of connections than HTTP raise, as ASGI wants it."""
        if scope["type"] != "http":
            raise RuntimeError(f"this application speaks HTTP only, not {scope['type']}")
        body = Body(scope["headers"], receive, self._limits)
        client = cast("Client", scope.get("client"))
        head: Head | None = None
        try:
            head = _head_of(scope)
            request_id = head.request_id or self._ids.make()
            limit = body_limit(self._engine, self._limits)
            admit(head, self._site, limit)
            content = await body.read(limit)
            with contextlib.closing(_Caller(client, receive)) as caller:
                if is_call(head):
                    start, answer = await self._ask(head, content, request_id, caller)
                else:
                    context = context_of(head, content, self._site, limit)
                    response = await self._in_turn(lambda: self._site.answer(context), caller, len(content))
                    start, answer = _start(response, request_id), response.body
        except RequestError as error:
            self._refused(client, error)
            await self._refuse(error, scope["path"], head, body, send)
        except ConnectionError:
            return  # the caller went away
        except Exception:
            await self._refuse(failure(), scope["path"], head, body, send)
        else:
            await _send(start, answer, send)

    async def _ask(self, head: Head, content: bytes, request_id: str, caller: "_Caller") -> tuple[Message, bytes]:
        """What the engine says to the call, made ready to be sent before the engine counts it, and its body.

        ConnectionError when the caller went away first, or can be told nothing.
        """
        future: asyncio.Future[tuple[Message, bytes]] = asyncio.get_running_loop().create_future()
        ticket = SETTLED

        def reply(outcome: Answer | RequestError) -> None:
            try:
                response = self._response(caller.client, outcome, ticket.variant)
                future.set_result((_start(response, request_id), response.body))
            except Exception:
                error = failure()
                _tell(future, refusal(error), request_id)
                raise error from None

        def submit() -> Ticket:
            # Decompressed and decoded here: what comes before costs nothing worth looking at.
            call = call_of(head, content, request_id, body_limit(self._engine, self._limits))
            nonlocal ticket
            ticket = self._engine.submit(call, reply)
            return ticket

        await self._in_turn(submit, caller, len(content))
        try:
            await caller.wait(future)
        finally:
            if not future.done():
                ticket.cancel()
        return future.result()

    def _response(self, client: Client, outcome: Answer | RequestError, variant: str) -> Response:
        if isinstance(outcome, RequestError):
            self._refused(client, outcome)
            return refusal(outcome)
        self._remember(client, trusted=True)
        headers = {VARIANT: variant} if variant else {}
        return Response(body=outcome.body, content_type=outcome.content_type, headers=headers)

    async def _in_turn(self, work: Callable[[], Done], caller: "_Caller", size: int) -> Done:
        """What `work` returns, done in this turn of the event loop while it has time, else in one of the next.

        ConnectionError when the caller went away first; then nothing is done.
        """
        turns = self._turns = self._turns or Turns(asyncio.get_running_loop().call_soon)
        behind = stands_behind(self._trusted.get(caller.client), size)
        if not turns.spent() and not (turns.crowded and behind):
            return work()
        done = _queued(turns, work, behind=behind)
        try:
            await caller.wait(done)
            return done.result()
        finally:
            done.cancel()
            del done  # what it raises holds this frame, which would be another circle

    def _refused(self, client: Client, error: RequestError) -> None:
        """A 5xx says nothing of the caller: "overloaded", for one, is decided before anything is decoded."""
        if error.status < 500:
            self._remember(client, trusted=False)

    def _remember(self, client: Client, *, trusted: bool) -> None:
        if client is None:
            return
        if client not in self._trusted and len(self._trusted) >= _CALLERS:
            del self._trusted[next(iter(self._trusted))]
        self._trusted[client] = trusted

    async def _refuse(self, error: RequestError, path: str, head: Head | None, body: Body, send: Send) -> None:
        allow = self._site.allowed(path) if error.status == 405 else ""
        response = refusal(error, allow)
        request_id = (head.request_id if head else "") or self._ids.make()
        # A request that contradicts itself may be understood otherwise by whoever passed it on: no more from there.
        try:
            start = _start(response, request_id, close=head is None)
        except Exception:
            error = failure()
            response = refusal(error)
            start = _start(response, request_id, close=head is None)
        report(self._observer, self._engine, error, request_id, head)
        await _begin(start, response.body, send)
        await body.discard()
        await send({"type": "http.response.body", "body": b""})


class _Caller:
    """Who sent a request that was read to its end: the server has nothing more to tell of it than that it left."""

    def __init__(self, client: Client, receive: Receive) -> None:
        self.client = client
        self._receive = receive
        self._gone: asyncio.Future[Message] | None = None
        """Asked for once only, since a server may tell it once only."""

    async def wait(self, future: asyncio.Future[Any]) -> None:
        """Return when `future` is done; ConnectionError when the caller went away first."""
        if not future.done():
            await asyncio.sleep(0)  # mostly it is done in this turn, and watching the caller would cost more
        if future.done():
            return
        self._gone = self._gone or asyncio.ensure_future(self._receive())
        await asyncio.wait((future, self._gone), return_when=asyncio.FIRST_COMPLETED)
        if not future.done():
            raise ConnectionError("the caller went away")

    def close(self) -> None:
        """Watch the caller no longer."""
        if self._gone is not None:
            self._gone.cancel()


def _queued(turns: Turns, work: Callable[[], Done], *, behind: bool) -> asyncio.Future[Done]:
    """What `work` will return in a turn of the event loop that has time for it; forgotten when that is cancelled."""
    done: asyncio.Future[Done] = asyncio.get_running_loop().create_future()
    left = [work]
    # What stands in line stays there, but without the request's body.
    done.add_done_callback(lambda _: left.clear())

    def go_on() -> None:
        if done.cancelled():
            return
        try:
            done.set_result(left.pop()())
        except RequestError as error:
            done.set_exception(bare(error))
        except Exception:
            done.set_exception(failure())
        turns.spent()

    turns.wait(go_on, behind=behind)
    return done


def _head_of(scope: Message) -> Head:
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    return read_head(
        scope["method"], path, scope.get("query_string", b""), scope["headers"], http11=scope["http_version"] != "1.0"
    )


def _tell(future: asyncio.Future[tuple[Message, bytes]], response: Response, request_id: str) -> None:
    """Have `response` sent, or the connection ended where that cannot be written, either."""
    try:
        future.set_result((_start(response, request_id), response.body))
    except Exception:
        sys.stderr.write(traceback.format_exc())
        future.set_exception(ConnectionError("the caller can be told nothing"))


async def _send(start: Message, body: bytes, send: Send) -> None:
    await _begin(start, body, send)
    await send({"type": "http.response.body", "body": b""})
    # Work done inline must let the event loop see other connections, even when this one never waits.
    await asyncio.sleep(0)


async def _begin(start: Message, body: bytes, send: Send) -> None:
    await send(start)
    await send({"type": "http.response.body", "body": body, "more_body": True})


def _start(response: Response, request_id: str, *, close: bool = False) -> Message:
    """The message that an answer begins with; raises for what cannot be a header."""
    headers = {**EVERYWHERE, **response.headers, "x-request-id": request_id}
    if response.status not in BODILESS:
        headers |= {"content-type": response.content_type, "content-length": str(len(response.body))}
    if close:
        headers["connection"] = "close"
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    return {"type": "http.response.start", "status": response.status, "headers": raw}
