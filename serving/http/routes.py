"""The site: everything that is not /invocations, as a table from path to handler, for every front."""

import functools
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import orjson

from serving.core.engine import Engine
from serving.core.errors import NotReadyError, RequestError
from serving.core.service import Service
from serving.page import pages
from serving.page.pages import Page
from serving.page.status import Counts

INVOCATIONS: Final = "/invocations"
JSON: Final = "application/json"
GET: Final = ("GET", "HEAD")


class MetricsText(Protocol):
    """Whoever has the metrics."""

    def exposition(self, accept: str) -> tuple[str, bytes]:
        """Content type and body of all metrics, in the format that the Accept header asks for."""
        ...

    def input_counts(self, service: Service, /) -> Counts:
        """How what `service` was sent is distributed."""
        ...

    def loading(self) -> list[int]:
        """The workers of the group that have not loaded their models yet."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Response:
    """What a handler answers. A front adds length, date and connection headers; header names are in lower case."""

    body: bytes
    content_type: str = JSON
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, kw_only=True, slots=True)
class SiteContext:
    """One request to the site, its body read whole and decompressed."""

    engine: Engine
    method: str
    path: str
    query: str = ""
    """The query as it was sent, without its question mark."""
    content_type: str = ""
    accept: str = ""
    body: bytes = b""
    if_none_match: str = ""


Handler = Callable[[SiteContext], Response]
"""Runs on the event loop: it must be quick, and may raise RequestError."""


class Site:
    """Paths with their handlers and methods. Whoever has pages adds them before the front starts."""

    def __init__(self, engine: Engine) -> None:
        self.engine: Final = engine
        self._routes: dict[str, tuple[tuple[str, ...], Handler]] = {}
        self._methods: dict[str, tuple[str, ...]] = {INVOCATIONS: ("POST",)}

    def add(self, path: str, handler: Handler, methods: Sequence[str] = GET) -> None:
        """Answer `methods` on `path` with `handler`; a path added again is replaced."""
        self._routes[path] = (tuple(methods), handler)
        self._methods[path] = tuple(methods)

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path that is answered, /invocations first."""
        return tuple(self._methods)

    def check(self, method: str, path: str) -> None:
        """RequestError 404 for a path that is not there, 405 for a method that it does not have."""
        allowed = self._methods.get(path)
        if allowed is None:
            there = ", ".join(known for known in self._methods if not known.startswith("/static/"))
            message = f"no such path {path[:200]!r}; there are {there}"
            raise RequestError("not_found", message, status=404)
        if method not in allowed:
            message = f"{method} is not allowed on {path}; expected {' or '.join(allowed)}"
            raise RequestError("method_not_allowed", message, status=405)

    def allowed(self, path: str) -> str:
        """The Allow header of a 405 on `path`."""
        return ", ".join(self._methods.get(path, ()))

    def answer(self, context: SiteContext) -> Response:
        """The answer to a request that `check` let through; errors are answers too, never raised."""
        try:
            return self._routes[context.path][1](context)
        except RequestError as error:
            return refusal(error)
        except Exception:
            return refusal(failure())


def failure() -> RequestError:
    """What a caller is told of the exception that is being handled: a sentence. The trace is for us."""
    sys.stderr.write(traceback.format_exc())
    return RequestError("internal", "the server failed on this request", status=500)


def refusal(error: RequestError, allow: str = "") -> Response:
    """An error as a response, always JSON."""
    headers: dict[str, str] = {}
    if error.retry_after is not None:
        headers["retry-after"] = str(error.retry_after)
    if allow:
        headers["allow"] = allow
    if error.code == "unsupported_content_encoding":
        headers["accept-encoding"] = "gzip, identity"
    return Response(status=error.status, body=orjson.dumps(error.document()), headers=headers)


def build_site(engine: Engine, observer: MetricsText | None = None) -> Site:
    """The site with /ping, the pages, and /metrics where there is an observer."""
    site = Site(engine)
    site.add("/ping", functools.partial(_ping, observer))
    if observer is not None:
        site.add("/metrics", functools.partial(_metrics, observer))
    for path, render in pages.PAGES.items():
        site.add(path, functools.partial(_page, render))
    for path, file in pages.files().items():
        site.add(path, functools.partial(_file, file))
    site.add("/status", functools.partial(_status, observer))
    return site


def _ping(observer: MetricsText | None, context: SiteContext) -> Response:
    """Ready is the group: whoever was told so may reach another worker with the next connection."""
    context.engine.check()
    loading = [] if observer is None else observer.loading()
    if loading:
        raise NotReadyError(f"worker {loading[0]} is still loading its model")
    return Response(body=b'{"status":"ready"}')


def _metrics(observer: MetricsText, context: SiteContext) -> Response:
    content_type, body = observer.exposition(context.accept)
    return Response(body=body, content_type=content_type)


def _page(render: Callable[[Service], Page], context: SiteContext) -> Response:
    return _file(render(context.engine.service), context)


def _file(page: Page, context: SiteContext) -> Response:
    if context.if_none_match and page.is_known(context.if_none_match):
        return Response(body=b"", content_type=page.content_type, status=304, headers=page.headers)
    return Response(body=page.body, content_type=page.content_type, headers=page.headers)


def _status(observer: MetricsText | None, context: SiteContext) -> Response:
    service = context.engine.service
    return _file(pages.state(service, observer.input_counts(service) if observer else None), context)
