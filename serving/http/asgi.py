"""The HTTP front: a raw ASGI application that turns requests into calls of the core, and errors into answers.

Whatever a caller does wrong is a 4xx with a JSON body; 5xx means that we are at fault, or not ready.
"""

import asyncio
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from serving.core import codec
from serving.core.errors import NotReadyError, PredictionError, RequestError
from serving.core.service import Answer
from serving.http.body import Body, Receive
from serving.observe.metrics import Metrics
from serving.page import page
from serving.process.lifecycle import Lifecycle

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Headers = dict[str, str]

_READ = ("GET", "HEAD")
ROUTES: Final[dict[str, tuple[str, ...]]] = {
    "/ping": _READ,
    "/invocations": ("POST",),
    "/metrics": _READ,
    "/": _READ,
    **{f"/static/{name}": _READ for name in page.STATIC},
}


class Application:
    """The ASGI application over a `Lifecycle`."""

    def __init__(self, lifecycle: Lifecycle, metrics: Metrics) -> None:
        self._lifecycle = lifecycle
        self._metrics = metrics

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request; connections of other kinds than HTTP are not offered by the server."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        body = Body(headers, receive)
        try:
            await self._route(scope["method"], scope["path"], headers, body, send)
        except RequestError as error:
            await self._refuse(error, scope["path"], body, send)
        except ConnectionError:
            return  # the caller went away while its body was being read
        except Exception as error:
            # PredictionError and whatever nobody thought of: the trace is for us, the caller gets a sentence.
            traceback.print_exc(file=sys.stderr)
            reason = str(error) if isinstance(error, PredictionError) else "the server failed on this request"
            await self._refuse(RequestError("internal", reason, status=500), scope["path"], body, send)

    async def _route(self, method: str, path: str, headers: Headers, body: Body, send: Send) -> None:
        allowed = ROUTES.get(path)
        if allowed is None:
            raise RequestError("not_found", f"no such path {path!r}; there are {', '.join(ROUTES)}", status=404)
        if method not in allowed:
            message = f"{method} is not allowed on {path}; expected {' or '.join(allowed)}"
            raise RequestError("method_not_allowed", message, status=405)
        if path == "/invocations":
            answer = await self._invoke(headers, body)
            await _send(send, 200, answer.content_type, answer.body)
        elif path == "/ping":
            self._lifecycle.check()
            await _send(send, 200, codec.JSON, b'{"status":"ready"}')
        elif path == "/metrics":
            service = self._lifecycle.service
            text = self._metrics.text(service.spec.name, service.release)
            await _send(send, 200, "text/plain; version=0.0.4; charset=utf-8", text.encode())
        elif path == "/":
            html = page.render(self._lifecycle.service)
            await _send(send, 200, "text/html; charset=utf-8", html, page.HEADERS)
        else:
            content_type, content = page.static(path.removeprefix("/static/"))
            await _send(send, 200, content_type, content, page.HEADERS)

    async def _invoke(self, headers: Headers, body: Body) -> Answer:
        service = self._lifecycle.service
        if headers.get("content-encoding", "identity").lower() not in {"", "identity"}:
            message = f"Content-Encoding {headers['content-encoding']!r} is not supported; expected none"
            raise RequestError("unsupported_content_type", message, status=415)
        content = await body.read(service.spec.serving.max_body_bytes)
        start = time.perf_counter()
        answer = service.answer(content, headers.get("content-type", ""), headers.get("accept", ""))
        self._metrics.answered(answer.rows, time.perf_counter() - start)
        return answer

    async def _refuse(self, error: RequestError, path: str, body: Body, send: Send) -> None:
        extra: Headers = {}
        if path == "/invocations":
            self._metrics.refused(error.status, error.code)
        if error.status == 405:
            extra["allow"] = ", ".join(ROUTES[path])
        if isinstance(error, NotReadyError):
            extra["retry-after"] = "1"
        await _begin(send, error.status, codec.JSON, codec.encode_error(error), extra)
        await body.discard()
        await send({"type": "http.response.body", "body": b""})


async def _send(send: Send, status: int, content_type: str, body: bytes, extra: Headers | None = None) -> None:
    await _begin(send, status, content_type, body, extra or {})
    await send({"type": "http.response.body", "body": b""})
    # Work done inline must let the event loop see other connections, even when this one never waits.
    await asyncio.sleep(0)


async def _begin(send: Send, status: int, content_type: str, body: bytes, extra: Headers) -> None:
    headers = {
        "content-type": content_type,
        "content-length": str(len(body)),
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
        **extra,
    }
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body, "more_body": True})
