"""Probabilities to bytes, for a model whose target is a category: the likeliest label, and how likely each is."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import orjson

from serving.core.codec import media
from serving.core.codec.encoding import encode_npy, encode_tensor
from serving.core.errors import PredictionError, RequestError
from serving.core.job import Answer, Job
from serving.core.session import Matrix, not_finite


class LabelEncoding:
    """Encodes what one classifier answers."""

    types: Final = (media.JSON, media.CSV, media.NPY, media.TENSOR)

    def __init__(self, about: Mapping[str, str], labels: Sequence[str]) -> None:
        """`about` is what a JSON answer says beside the predictions; `labels` are the target's categories."""
        self._about = dict(about)
        self._labels = tuple(labels)

    def answers(self, jobs: Sequence[Job], outputs: Matrix) -> list[Answer | RequestError]:
        """An answer a job to `outputs` [rows of all jobs, K]; a PredictionError where one of them is not finite."""
        answers: list[Answer | RequestError] = []
        start = 0
        for job in jobs:
            answers.append(self._answer(job, outputs[start : start + job.rows]))
            start += job.rows
        return answers

    def _answer(self, job: Job, outputs: Matrix) -> Answer | PredictionError:
        fine = np.isfinite(outputs).all(axis=1)
        if not fine.all():
            return not_finite(int(np.argmin(fine)))
        return Answer(job.answer_type, self._encoded(job.answer_type, outputs), job.rows)

    def _encoded(self, answer_type: str, outputs: Matrix) -> bytes:
        if answer_type == media.NPY:
            return encode_npy(outputs)
        if answer_type == media.TENSOR:
            return encode_tensor(outputs)
        places: list[int] = outputs.argmax(axis=1).tolist()
        predicted = [self._labels[place] for place in places]
        if answer_type == media.CSV:
            text = io.StringIO(newline="")
            csv.writer(text, lineterminator="\n").writerows([label] for label in predicted)
            return text.getvalue().encode()
        said: dict[str, object] = {"predictions": predicted, "probabilities": outputs, "labels": self._labels}
        return orjson.dumps(said | self._about, option=orjson.OPT_SERIALIZE_NUMPY)
