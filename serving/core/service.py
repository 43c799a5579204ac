"""The core: bytes of a request in, bytes of an answer out, for one loaded model. It knows nothing of HTTP's wire.

Decoding and answering are two steps, so that requests that arrived together can go through the model together. A row's
prediction does not depend on the rows beside it (to within float32's rounding, since a graph may sum in another order),
and neither does its fate: where the model gives one request no finite number, the others get their answers.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from models.rows import feature_matrix
from serving.core import codec
from serving.core.artefact import Artefact, load_artefact
from serving.core.errors import PredictionError, RequestError
from serving.core.job import Answer, Answered, Job
from serving.core.session import Matrix, Session, not_finite
from serving.core.validation import Validator


class Service:
    """Answers requests with one model. Build it with `load_service`, which has it answer a row first."""

    def __init__(self, artefact: Artefact, release: str, threads: int = 1) -> None:
        self.artefact: Final = artefact
        self.release: Final = release
        spec = artefact.spec
        self.spec: Final = spec
        self._validator = Validator(spec)
        self._session = Session(artefact.graph, features=len(spec.features), threads=threads)
        self._about = {
            "model": spec.name,
            "target": spec.target,
            "unit": spec.target_column.unit,
            "release": release,
        }
        self._warm_up_row = _warm_up_row(artefact)

    def decode(self, body: bytes, content_type: str, accept: str = "") -> Job:
        """The rows of a request, validated; RequestError for what the caller did wrong."""
        answer_type = codec.answer_type(accept)
        rows = codec.decode(body, content_type, self.spec)
        matrix = feature_matrix(self.spec, self._validator.columns(rows))
        return Job(len(rows), matrix, answer_type, body, content_type.partition(";")[0].strip().lower())

    def answer_all(self, jobs: Sequence[Job]) -> Answered:
        """Answer `jobs` (at least one) with one run of the model. Never raises for what one of them holds."""
        begun = time.perf_counter()
        predictions = self._predict(jobs)
        inferred = time.perf_counter()
        finite = bool(np.isfinite(predictions).all())
        answers: list[Answer | RequestError] = []
        start = 0
        for job in jobs:
            answers.append(self._encode(job, predictions[start : start + job.rows], finite=finite))
            start += job.rows
        return Answered(answers, predictions, inferred - begun, time.perf_counter() - inferred)

    def answer(self, body: bytes, content_type: str, accept: str = "") -> Answer:
        """Decode and answer one request; RequestError for what the caller did wrong, PredictionError for us."""
        (answer,) = self.answer_all([self.decode(body, content_type, accept)]).answers
        if isinstance(answer, RequestError):
            raise answer
        return answer

    def warm_up(self) -> None:
        """Answer one row from the training data; PredictionError when the model does not."""
        self._session.predict(self._warm_up_row)

    def _predict(self, jobs: Sequence[Job]) -> Matrix:
        """Predictions of all jobs' rows; NaN for the rows of a job that the model fails on as a whole."""
        width = len(self.spec.features)
        parts = [np.asarray(job.values, dtype=np.float32).reshape(-1, width) for job in jobs]
        try:
            return self._session.run(np.concatenate(parts))
        except PredictionError:
            if len(jobs) == 1:
                return np.full(jobs[0].rows, np.nan, dtype=np.float32)
            return np.concatenate([self._predict([job]) for job in jobs])

    def _encode(self, job: Job, predictions: Matrix, *, finite: bool) -> Answer | RequestError:
        if not finite and not (fine := np.isfinite(predictions)).all():
            return not_finite(int(np.argmin(fine)))
        encoded = (
            codec.encode_csv(predictions)
            if job.answer_type == codec.CSV
            else codec.encode_json(predictions, self._about)
        )
        return Answer(job.answer_type, encoded, job.rows)


def load_service(model_dir: Path, manifest_sha256: str | None, release: str, threads: int = 1) -> Service:
    """The verified model in `model_dir`, having answered a row; ArtefactError or PredictionError says why not.

    `threads` is the number that one run of the model may use.
    """
    service = Service(load_artefact(model_dir, manifest_sha256), release, threads)
    service.warm_up()
    return service


def _warm_up_row(artefact: Artefact) -> Matrix:
    """The first sample row [1, F]; zeros where the baseline holds none."""
    spec = artefact.spec
    if not artefact.baseline.sample:
        return np.zeros((1, len(spec.features)), dtype=np.float32)
    row = artefact.baseline.sample[0]
    return feature_matrix(spec, {name: [row.get(name)] for name in spec.features})
