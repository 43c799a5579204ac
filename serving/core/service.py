"""The core: bytes of a request in, bytes of an answer out, for one loaded model. It knows nothing of HTTP's wire."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from models.rows import feature_matrix
from serving.core import codec
from serving.core.artefact import Artefact, load_artefact
from serving.core.session import Matrix, PredictionError, Session
from serving.core.validation import Validator


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Predictions, encoded."""

    content_type: str
    body: bytes
    rows: int


class Service:
    """Answers requests with one model. Build it with `load_service`, which has it answer a row first."""

    def __init__(self, artefact: Artefact, release: str) -> None:
        self.artefact: Final = artefact
        self.release: Final = release
        spec = artefact.spec
        self.spec: Final = spec
        self._validator = Validator(spec)
        self._session = Session(artefact.graph, features=len(spec.features))
        self._about = {
            "model": spec.name,
            "target": spec.target,
            "unit": spec.target_column.unit,
            "release": release,
        }
        self._warm_up_row = _warm_up_row(artefact)

    def answer(self, body: bytes, content_type: str, accept: str = "") -> Answer:
        """Decode, validate, predict, encode; RequestError for what the caller did wrong, PredictionError for us."""
        answer_type = codec.answer_type(accept)
        rows = codec.decode(body, content_type, self.spec)
        matrix = feature_matrix(self.spec, self._validator.columns(rows))
        predictions = self._session.predict(matrix)
        encoded = (
            codec.encode_csv(predictions) if answer_type == codec.CSV else codec.encode_json(predictions, self._about)
        )
        return Answer(content_type=answer_type, body=encoded, rows=len(rows))

    def warm_up(self) -> None:
        """Answer one row from the training data; PredictionError when the model does not."""
        try:
            self._session.predict(self._warm_up_row)
        except PredictionError:
            raise
        except Exception as error:  # whatever ONNX Runtime raises, the model is not ready
            raise PredictionError(f"the model failed on a warm-up row: {error}") from error


def load_service(model_dir: Path, manifest_sha256: str | None, release: str) -> Service:
    """The verified model in `model_dir`, having answered a row; ArtefactError or PredictionError says why not."""
    service = Service(load_artefact(model_dir, manifest_sha256), release)
    service.warm_up()
    return service


def _warm_up_row(artefact: Artefact) -> Matrix:
    """The first sample row [1, F]; zeros where the baseline holds none."""
    spec = artefact.spec
    if not artefact.baseline.sample:
        return np.zeros((1, len(spec.features)), dtype=np.float32)
    row = artefact.baseline.sample[0]
    return feature_matrix(spec, {name: [row.get(name)] for name in spec.features})
