"""What the engine deals with: a request as a front hands it over, and who is told of it."""

from collections.abc import Callable, Sequence
from typing import Protocol

from serving.core.job import Answered, Job
from serving.core.service import Service

Aside = Callable[[Callable[[], object], Callable[[object], None]], None]
"""Runs the first function in a thread and hands its result to the second one, in the event loop's thread."""


class Call:
    """One request as a front hands it over."""

    __slots__ = ("accept", "body", "content_type", "deadline", "request_id", "traceparent", "variant")

    def __init__(
        self,
        body: bytes,
        content_type: str = "",
        accept: str = "",
        *,
        request_id: str = "",
        deadline: float | None = None,
        variant: str = "",
        traceparent: str = "",
    ) -> None:
        self.body = body
        self.content_type = content_type
        self.accept = accept
        self.request_id = request_id
        """Decides between variants by their weights: the same id always gets the same one."""
        self.deadline = deadline
        """When the caller stops waiting, by `time.monotonic`; None for the server's own limit."""
        self.variant = variant
        """The variant that is to answer; empty to let the weights decide."""
        self.traceparent = traceparent
        """The header of W3C Trace Context; empty when none came."""


class Observer(Protocol):
    """Who is told what happened, after the callers were answered; serving.observe.metrics has the one that counts."""

    def batch(
        self,
        service: Service,
        jobs: Sequence[Job],
        answered: Answered,
        queued_seconds: Sequence[float],
        decode_seconds: float,
        /,
        *,
        calls: Sequence[Call],
        variant: str,
    ) -> None:
        """`jobs` went through the model together, `queued_seconds` after they came; all took `decode_seconds`."""
        ...

    def refused(self, status: int, code: str, /, *, call: Call | None = None, variant: str = "") -> None:
        """A request got an error."""
        ...

    def cancelled(self) -> None:
        """A caller went away while its request waited."""
        ...


class Router(Protocol):
    """Decides which variant answers a request, see serving/core/variants.py."""

    def choose(self, call: Call) -> str:
        """The variant's name; RequestError when the call names one that there is not."""
        ...

    def answered(self, calls: Sequence[Call], jobs: Sequence[Job], answered: Answered) -> None:
        """These were answered: copies may go to shadow variants, when there is time."""
        ...
