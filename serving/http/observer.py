"""What a front reports: connections, and refusals that never reach the engine."""

from typing import Protocol

from serving.core.call import Call
from serving.core.errors import RequestError
from serving.http.head import Head


class Observer(Protocol):
    """Where a front reports to; `serving.observe.metrics` has the one that counts."""

    def connections(self, change: int, /) -> None:
        """A connection was opened (+1) or closed (-1)."""
        ...

    def refused(self, status: int, code: str, /, *, call: Call) -> None:
        """A request was refused by the front itself; all that is known of `call` is how it and its trace are named."""
        ...


class NoObserver:
    """Reports nowhere."""

    def connections(self, change: int, /) -> None:
        """Nothing is counted."""

    def refused(self, status: int, code: str, /, *, call: Call) -> None:
        """Nothing is counted."""


def report(observer: Observer, error: RequestError, request_id: str, head: Head | None) -> None:
    """Tell `observer` of a refusal; `head` is None where the request was not understood so far."""
    call = Call(b"", request_id=request_id, traceparent=head.traceparent if head else "")
    observer.refused(error.status, error.code, call=call)
