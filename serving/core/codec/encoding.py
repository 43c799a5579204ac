"""Predictions to bytes: all jobs of a batch are spelt by one call, and each job gets its part.

orjson writes a float32 in its shortest spelling that reads back the same, and what is not finite as `null`: so that
looking for that word in the text is the check that nothing of the kind leaves.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import orjson

from serving.core.codec import media
from serving.core.codec.arrow_answer import encode_arrow
from serving.core.errors import PredictionError, RequestError
from serving.core.job import Answer, Job
from serving.core.session import Matrix, not_finite

_NOT_FINITE = b"null"


class Encoding:
    """Encodes what one model answers."""

    types: Final = media.ANSWERS

    def __init__(self, about: Mapping[str, str]) -> None:
        """`about` is what a JSON answer says beside the predictions."""
        self._prefix = b'{"predictions":['
        self._suffix = b"]," + orjson.dumps(about)[1:]

    def answers(self, jobs: Sequence[Job], predictions: Matrix) -> list[Answer | RequestError]:
        """An answer a job to `predictions` [rows of all jobs]; a PredictionError where one of them is not finite."""
        if jobs[0].answer_type in BINARY and (binary := self._binary(jobs, predictions)):
            return binary
        text = orjson.dumps(predictions, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1]
        parts = _parts(text, jobs)
        json, prefix, suffix = media.JSON, self._prefix, self._suffix
        if _NOT_FINITE not in text and {job.answer_type for job in jobs} == {json}:
            return [Answer(json, prefix + part + suffix, job.rows) for part, job in zip(parts, jobs, strict=True)]
        answers: list[Answer | RequestError] = []
        start = 0
        for job, part in zip(jobs, parts, strict=True):
            answers.append(self._answer(job, part, predictions[start : start + job.rows]))
            start += job.rows
        return answers

    def _binary(self, jobs: Sequence[Job], predictions: Matrix) -> list[Answer | RequestError] | None:
        """The answers where all jobs want numbers and no text; None where one does not, or a number is not finite."""
        if not all(job.answer_type in BINARY for job in jobs) or not np.isfinite(predictions).all():
            return None
        answers: list[Answer | RequestError] = []
        start = 0
        for job in jobs:
            end = start + job.rows
            answers.append(Answer(job.answer_type, BINARY[job.answer_type](predictions[start:end]), job.rows))
            start = end
        return answers

    def _answer(self, job: Job, part: bytes, predictions: Matrix) -> Answer | PredictionError:
        if _NOT_FINITE in part:
            return not_finite(part.split(b",").index(_NOT_FINITE))
        if job.answer_type == media.JSON:
            body = self._prefix + part + self._suffix
        elif job.answer_type == media.CSV:
            body = part.replace(b",", b"\n") + b"\n"
        else:
            body = BINARY[job.answer_type](predictions)
        return Answer(job.answer_type, body, job.rows)


def _parts(text: bytes, jobs: Sequence[Job]) -> list[bytes]:
    """The comma-separated numbers in `text`, a part a job."""
    if len(jobs) == 1:
        return [text]
    numbers = text.split(b",")
    if len(numbers) == len(jobs):
        return numbers
    parts: list[bytes] = []
    start = 0
    for job in jobs:
        parts.append(b",".join(numbers[start : start + job.rows]))
        start += job.rows
    return parts


def encode_npy(predictions: Matrix) -> bytes:
    """float32 [N] in numpy's file format."""
    file = io.BytesIO()
    np.save(file, predictions, allow_pickle=False)
    return file.getvalue()


def encode_tensor(predictions: Matrix) -> bytes:
    """float32 [N], little-endian, one after the other."""
    return predictions.astype("<f4", copy=False).tobytes()


BINARY: Final[Mapping[str, Callable[[Matrix], bytes]]] = {
    media.ARROW: encode_arrow,
    media.NPY: encode_npy,
    media.TENSOR: encode_tensor,
}
"""The encoders of what is no text, by media type."""


def encode_error(error: RequestError) -> bytes:
    """The error answer, always JSON."""
    return orjson.dumps(error.document())
