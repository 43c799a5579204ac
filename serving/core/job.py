"""What passes through the core: a decoded request, its answer, and what answering many of them at once gave.

These are made for every request, so they are msgspec structs without garbage collection: a tenth of the time of a
frozen dataclass, and none of them can be part of a cycle.
"""

from collections.abc import Sequence

import msgspec

from serving.core.errors import RequestError
from serving.core.session import Matrix

Values = Sequence[float] | Matrix
"""Rows as numbers: flat and row by row (rows × F), or a float32 matrix [rows, F], or images [rows, C, H, W].

A missing value is NaN. A category is its index; in a flat sequence it may be a float that also knows its name, which a
JSON encoder would write.
"""


class Job(msgspec.Struct, frozen=True, gc=False):
    """A request whose rows were found right: everything that is needed to answer it."""

    rows: int
    values: Values
    answer_type: str
    """The media type to answer in."""
    body: bytes
    """The request as it came, for those who keep a sample of the traffic."""
    content_type: str
    """The media type of `body`, without parameters."""


class Answer(msgspec.Struct, frozen=True, gc=False):
    """Predictions, encoded."""

    content_type: str
    body: bytes
    rows: int


class Answered(msgspec.Struct, frozen=True):
    """The outcome of several jobs that went through the model together."""

    answers: list[Answer | RequestError]
    """One a job, in their order; an error (500) where the model gave that job no finite number, or where the caller got
    no answer since it could not be written."""
    predictions: Matrix
    """float32 [rows of all jobs], in the target's unit, or the place of the likeliest category; not finite where the
    model failed."""
    inference_seconds: float
    encode_seconds: float
