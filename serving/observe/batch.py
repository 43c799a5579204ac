"""What whoever keeps some of the requests (logs, traces, captured traffic) is told of them."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from serving.core.job import Answered, Job
from serving.core.service import Service

_TRIAL = "purpose=trial"


class Called(Protocol):
    """What is known of a request beside its rows."""

    @property
    def content_type(self) -> str:
        """The Content-Type header, with its parameters."""
        ...

    @property
    def request_id(self) -> str:
        """As it came with the request, or was given to it."""
        ...

    @property
    def traceparent(self) -> str:
        """The header of W3C Trace Context; empty when none came."""
        ...


class Batch(msgspec.Struct, frozen=True, gc=False):
    """Requests that were answered together; the sequences hold one item a request."""

    service: Service
    variant: str
    jobs: Sequence[Job]
    answered: Answered
    queued_seconds: Sequence[float]
    """From arrival to this batch, a request's own decoding included."""
    decode_seconds: float
    """Of one request, on average."""
    calls: Sequence[Called]
    """Empty where the requests are not known."""

    def seconds(self, index: int) -> float:
        """How long request `index` took."""
        return self.queued_seconds[index] + self.answered.inference_seconds + self.answered.encode_seconds


def is_trial(call: Called) -> bool:
    """Whether somebody only tries the model out, as the page does with its what-if rows.

    Such a request says so in its media type (`application/json; purpose=trial`). It is answered and counted as any
    other, but its rows are no traffic: they belong into neither the distributions nor the captures.
    """
    return _TRIAL in call.content_type


class Follower(Protocol):
    """Whoever keeps some of the requests. It must not wait for anything, nor raise."""

    def batch(self, batch: Batch) -> None:
        """Requests were answered."""
        ...

    def refused(self, status: int, code: str, variant: str, call: Called | None) -> None:
        """A request was refused."""
        ...
