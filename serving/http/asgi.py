"""The other front: a raw ASGI application over the same engine and site, for uvicorn or any other ASGI server.

Whatever a caller does wrong is a 4xx with a JSON body; 5xx means that we are at fault, or not ready. What is not valid
HTTP, how long headers may take and how many connections there may be is the server's, not the application's.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from serving.core.call import Call
from serving.core.engine import Engine
from serving.core.errors import RequestError
from serving.core.job import Answer
from serving.http.admission import RequestIds, admit, body_limit, call_of, context_of, is_call
from serving.http.body import Body, Receive
from serving.http.head import Head, read_head
from serving.http.limits import Limits
from serving.http.observer import NoObserver, Observer, report
from serving.http.routes import Response, Site, refusal
from serving.http.writer import BODILESS, EVERYWHERE, VARIANT

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]


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

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request; other kinds of connections than HTTP raise, as ASGI wants it."""
        if scope["type"] != "http":
            raise RuntimeError(f"this application speaks HTTP only, not {scope['type']}")
        body = Body(scope["headers"], receive, self._limits)
        head: Head | None = None
        try:
            head = _head_of(scope)
            request_id = head.request_id or self._ids.make()
            limit = body_limit(self._engine, self._limits)
            admit(head, self._site, limit)
            response = await self._answer(head, await body.read(limit), request_id, limit, receive)
        except RequestError as error:
            await self._refuse(error, scope["path"], head, body, send)
        except ConnectionError:
            return  # the caller went away
        else:
            await _send(response, request_id, send)

    async def _answer(self, head: Head, content: bytes, request_id: str, limit: int, receive: Receive) -> Response:
        if is_call(head):
            call = call_of(head, content, request_id, limit)
            return await self._ask(call, receive)
        return self._site.answer(context_of(head, content, self._site, limit))

    async def _ask(self, call: Call, receive: Receive) -> Response:
        """What the engine says to `call`; ConnectionError when the caller went away first."""
        future: asyncio.Future[Answer | RequestError] = asyncio.get_running_loop().create_future()
        ticket = self._engine.submit(call, future.set_result)
        if not future.done():
            await asyncio.sleep(0)  # mostly the answer comes in this turn, and watching the caller would cost more
        if not future.done():
            gone = asyncio.ensure_future(receive())
            try:
                await asyncio.wait((future, gone), return_when=asyncio.FIRST_COMPLETED)
            finally:
                gone.cancel()
            if not future.done():
                ticket.cancel()
                raise ConnectionError("the caller went away")
        outcome = future.result()
        if isinstance(outcome, RequestError):
            return refusal(outcome)
        headers = {VARIANT: ticket.variant} if ticket.variant else {}
        return Response(body=outcome.body, content_type=outcome.content_type, headers=headers)

    async def _refuse(self, error: RequestError, path: str, head: Head | None, body: Body, send: Send) -> None:
        allow = self._site.allowed(path) if error.status == 405 else ""
        response = refusal(error, allow)
        request_id = (head.request_id if head else "") or self._ids.make()
        report(self._observer, error, request_id, head)
        # A request that contradicts itself may be understood otherwise by whoever passed it on: no more from there.
        await _begin(response, request_id, send, close=head is None)
        await body.discard()
        await send({"type": "http.response.body", "body": b""})


def _head_of(scope: Message) -> Head:
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    return read_head(
        scope["method"], path, scope.get("query_string", b""), scope["headers"], http11=scope["http_version"] != "1.0"
    )


async def _send(response: Response, request_id: str, send: Send) -> None:
    await _begin(response, request_id, send)
    await send({"type": "http.response.body", "body": b""})
    # Work done inline must let the event loop see other connections, even when this one never waits.
    await asyncio.sleep(0)


async def _begin(response: Response, request_id: str, send: Send, *, close: bool = False) -> None:
    headers = {**EVERYWHERE, **response.headers, "x-request-id": request_id}
    if response.status not in BODILESS:
        headers |= {"content-type": response.content_type, "content-length": str(len(response.body))}
    if close:
        headers["connection"] = "close"
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": raw})
    await send({"type": "http.response.body", "body": response.body, "more_body": True})
