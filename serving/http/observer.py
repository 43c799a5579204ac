"""What a front reports: connections, and refusals that never reach the engine."""

import sys
import traceback
from typing import Protocol

from serving.core.call import Call
from serving.core.engine import Engine
from serving.core.errors import RequestError
from serving.http.head import Head


class Observer(Protocol):
    """Where a front reports to; `serving.observe.metrics` has the one that counts."""

    def connections(self, change: int, /) -> None:
        """A connection was opened (+1) or closed (-1)."""
        ...

    def refused(self, status: int, code: str, /, *, call: Call, variant: str) -> None:
        """A request was refused by the front itself; all that is known of `call` is how it and its trace are named.

        `variant` is the one that it counts for.
        """
        ...


class NoObserver:
    """Reports nowhere."""

    def connections(self, change: int, /) -> None:
        """Nothing is counted."""

    def refused(self, status: int, code: str, /, *, call: Call, variant: str) -> None:
        """Nothing is counted."""


def report(observer: Observer, engine: Engine, error: RequestError, request_id: str, of: Head | Call | None) -> None:
    """Tell `observer` of a refusal; `of` is None where the request was not understood so far.

    It counts for the variant that it names, else for the default one, so that what callers see is told of a model.
    """
    call = Call(b"", request_id=request_id, traceparent=of.traceparent if of else "")
    variant = engine.variant(of.variant if of else "")
    try:
        observer.refused(error.status, error.code, call=call, variant=variant)
    except Exception:  # what the observer does wrong harms no request
        sys.stderr.write(traceback.format_exc())
