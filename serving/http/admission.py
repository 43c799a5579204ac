"""What both fronts decide alike: whether a request is let in by its head, and what it becomes with its body."""

import secrets
import time
from collections.abc import Callable
from typing import Final

from serving.core.call import Call
from serving.core.engine import Engine
from serving.core.errors import NotReadyError, RequestError
from serving.http.chunks import too_large
from serving.http.encoding import check_encoding, decoded
from serving.http.head import DEADLINE_MOST_MS, Head
from serving.http.limits import Limits
from serving.http.routes import INVOCATIONS, Site, SiteContext


def body_limit(engine: Engine, limits: Limits) -> int:
    """Bytes that a body may have: what the model's specification says, once there is a model."""
    try:
        return engine.service.spec.serving.max_body_bytes
    except NotReadyError:
        return limits.body_bytes


def admit(head: Head, site: Site, limit: int) -> None:
    """RequestError for what is known to be wrong before the body is read: 400, 404, 405, 413, 415."""
    site.check(head.method, head.path)
    if head.length > limit:
        raise too_large(limit)
    check_encoding(head.content_encoding)
    if head.deadline_ms < 0:
        message = f"X-Request-Deadline-Ms is no whole number of milliseconds from 1 to {DEADLINE_MOST_MS}"
        raise RequestError("malformed_request", message)


def call_of(head: Head, body: bytes, request_id: str, limit: int) -> Call:
    """The call of the engine that a request to /invocations is; RequestError when its encoding is broken."""
    return Call(
        decoded(body, head.content_encoding, limit),
        head.content_type,
        head.accept,
        request_id=request_id,
        deadline=deadline_of(head) if head.deadline_ms else None,
        variant=head.variant,
        traceparent=head.traceparent,
    )


def deadline_of(head: Head) -> float:
    """When the caller, who says how long it waits, stops waiting; by `time.monotonic`."""
    return time.monotonic() + head.deadline_ms / 1000


def context_of(head: Head, body: bytes, site: Site, limit: int) -> SiteContext:
    """The request to the site; RequestError when its encoding is broken."""
    return SiteContext(
        engine=site.engine,
        method=head.method,
        path=head.path,
        query=head.query,
        content_type=head.content_type,
        accept=head.accept,
        body=decoded(body, head.content_encoding, limit),
        if_none_match=head.if_none_match,
    )


def is_call(head: Head) -> bool:
    """Whether the engine answers it, and not the site."""
    return head.path == INVOCATIONS


class RequestIds:
    """Names for requests whose callers gave none: the same start for a process, then a number."""

    __slots__ = ("_made", "_start")

    def __init__(self, token: Callable[[int], str] = secrets.token_hex) -> None:
        self._start: Final = token(8)
        self._made = 0

    def make(self) -> str:
        """The next name, unlike any other of any process."""
        self._made += 1
        return f"{self._start}-{self._made:x}"
