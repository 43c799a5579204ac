"""The core: bytes of a request in, bytes of an answer out, for one loaded model. It knows nothing of HTTP's wire.

Decoding and answering are two steps, so that requests that arrived together can go through the model together. A row's
prediction does not depend on the rows beside it (to within float32's rounding, since a graph may sum in another order),
and neither does its fate: where the model gives one request no finite number, the others get their answers.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, cast

import numpy as np

from models.rows import feature_matrix
from serving.core import codec
from serving.core.artefact import Artefact, load_artefact
from serving.core.errors import PredictionError, RequestError
from serving.core.job import Answer, Answered, Job
from serving.core.session import Matrix, Session


class Service:
    """Answers requests with one model. Build it with `load_service`, which has it answer a row first."""

    def __init__(self, artefact: Artefact, release: str, threads: int = 1, variant: str = "") -> None:
        self.artefact: Final = artefact
        self.release: Final = release
        spec = artefact.spec
        self.spec: Final = spec
        self._decoders = codec.decoders(spec)
        self._row_shape = spec.image.shape if spec.image else (len(spec.features),)
        target = spec.target_column
        self._session = Session(artefact.graph, self._row_shape, len(target.categories), threads)
        about = {"model": spec.name, "target": spec.target, "unit": target.unit, "release": release}
        about |= {"variant": variant} if variant else {}
        self._encoding = codec.LabelEncoding(about, target.categories) if target.categories else codec.Encoding(about)
        self._warm_up_row = _warm_up_row(artefact)

    def decode(self, body: bytes, content_type: str, accept: str = "") -> Job:
        """The rows of a request, validated; RequestError for what the caller did wrong."""
        answer_type = codec.answer_type(accept)
        if answer_type not in self._encoding.types:
            raise codec.not_acceptable(accept, self._encoding.types)
        media_type = codec.media_type(content_type)
        decoder = self._decoders.get(media_type)
        if decoder is None:
            raise codec.unsupported(content_type, self._decoders)
        rows, values = decoder(body)
        return Job(rows, values, answer_type, body, media_type)

    def answer_all(self, jobs: Sequence[Job]) -> Answered:
        """Answer `jobs` (at least one) with one run of the model. Never raises for what one of them holds."""
        begun = time.perf_counter()
        failed: dict[int, PredictionError] = {}
        try:
            outputs = self._session.run(self._stack(jobs))
        except PredictionError:
            outputs, failed = self._one_by_one(jobs)
        inferred = time.perf_counter()
        answers = self._encoding.answers(jobs, outputs)
        for position, error in failed.items():
            answers[position] = error
        predictions = outputs if outputs.ndim == 1 else _most_likely(outputs)
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

    def _stack(self, jobs: Sequence[Job]) -> Matrix:
        """The rows of all jobs as float32 [rows, F], or images as [rows, C, H, W]."""
        flat = [job.values for job in jobs if not isinstance(job.values, np.ndarray)]
        if len(flat) == len(jobs):
            return codec.stacked(flat, len(self.spec.features))
        if len(jobs) == 1:
            return cast("Matrix", jobs[0].values)
        parts = [np.asarray(job.values, dtype=np.float32).reshape(-1, *self._row_shape) for job in jobs]
        return np.concatenate(parts)

    def _one_by_one(self, jobs: Sequence[Job]) -> tuple[Matrix, dict[int, PredictionError]]:
        """As a run of all jobs, with NaN for the rows of a job that the model fails on, and its error by position."""
        failed: dict[int, PredictionError] = {}
        parts: list[Matrix] = []
        for position, job in enumerate(jobs):
            try:
                parts.append(self._session.run(self._stack([job])))
            except PredictionError as error:
                # ONNX Runtime's own words name nodes and files of the model: they are for us.
                sys.stderr.write(f"{error}\n")
                failed[position] = PredictionError("the model failed on these rows")
                parts.append(self._session.nothing(job.rows))
        return np.concatenate(parts), failed


def load_service(
    model_dir: Path,
    manifest_sha256: str | None,
    release: str,
    threads: int = 1,
    variant: str = "",
    *,
    batch_bytes: int | None = None,
) -> Service:
    """The verified model in `model_dir`, having answered a row; ArtefactError or PredictionError says why not.

    `threads` is the number that one run of the model may use. `variant` is told in the answers where it is not empty.
    With `batch_bytes` a request is limited by that alone: a job of Batch Transform fills each as far as it goes.
    """
    artefact = load_artefact(model_dir, manifest_sha256)
    if batch_bytes is not None:
        artefact = widened(artefact, batch_bytes)
    service = Service(artefact, release, threads, variant)
    service.warm_up()
    return service


def widened(artefact: Artefact, batch_bytes: int) -> Artefact:
    """The artefact with the limits of a batch: `batch_bytes` a request, and as many rows as fit, one byte each."""
    serving = artefact.spec.serving.model_copy(update={"max_rows": batch_bytes, "max_body_bytes": batch_bytes})
    return artefact.model_copy(update={"spec": artefact.spec.model_copy(update={"serving": serving})})


def _warm_up_row(artefact: Artefact) -> Matrix:
    """The first sample row [1, F]; zeros where the baseline holds none, and for a model of images."""
    spec = artefact.spec
    if spec.image:
        return np.zeros((1, *spec.image.shape), dtype=np.float32)
    if not artefact.baseline.sample:
        return np.zeros((1, len(spec.features)), dtype=np.float32)
    row = artefact.baseline.sample[0]
    return feature_matrix(spec, {name: [row.get(name)] for name in spec.features})


def _most_likely(outputs: Matrix) -> Matrix:
    """The place of each row's likeliest category [N], as float32; NaN where an output is not finite."""
    return np.where(np.isfinite(outputs).all(axis=1), outputs.argmax(axis=1), np.nan).astype(np.float32)
