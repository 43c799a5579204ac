"""The model as ONNX Runtime runs it: float32 [N, F] or, of images, [N, C, H, W] in; float32 [N] or [N, classes] out."""

from typing import Any, cast

import numpy as np
import numpy.typing as npt
import onnxruntime  # pyright: ignore[reportMissingTypeStubs]

from serving.core.artefact import MODEL_FILE, ArtefactError
from serving.core.errors import PredictionError

INPUT, OUTPUT = "features", "prediction"
_NOTHING_BUT_THE_END = 4
"""ONNX Runtime logs no error beside raising it: its lines are no JSON, and one would come with each failed row."""

Matrix = npt.NDArray[np.float32]


class Session:
    """An inference session over the bytes of a graph; ArtefactError when the graph is not what the contract says."""

    def __init__(self, graph: bytes, row_shape: tuple[int, ...], classes: int = 0, threads: int = 1) -> None:
        """`row_shape` is that of one row, [F] or [C, H, W]; `classes` is 0 where the prediction is a number."""
        # A row takes some 20 µs: a pool of threads would cost more to wake than it saves, and spinning ones steal
        # the core from the event loop.
        runtime = cast("Any", onnxruntime)
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _NOTHING_BUT_THE_END
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = runtime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime raises a different class for each way a graph can be wrong.
            raise ArtefactError(f"{MODEL_FILE}: ONNX Runtime cannot load it: {error}") from error
        self._output_shape = (classes,) if classes else ()
        self._check_signature(row_shape)

    def _check_signature(self, row_shape: tuple[int, ...]) -> None:
        inputs = {node.name: (node.type, node.shape) for node in self._session.get_inputs()}
        outputs = {node.name: node.type for node in self._session.get_outputs()}
        kind, shape = inputs.get(INPUT, ("", []))
        if list(inputs) != [INPUT] or kind != "tensor(float)" or tuple(shape[1:]) != row_shape:
            expected = f"{INPUT!r} float32 {_shown(row_shape)}"
            raise ArtefactError(f"{MODEL_FILE}: inputs are {inputs}; expected {expected}")
        if outputs.get(OUTPUT) != "tensor(float)":
            expected = f"{OUTPUT!r} float32 {_shown(self._output_shape)}"
            raise ArtefactError(f"{MODEL_FILE}: outputs are {outputs}; expected {expected}")

    def run(self, matrix: Matrix) -> Matrix:
        """Predictions [N], or [N, classes], for the rows of `matrix`, finite or not; PredictionError for none."""
        try:
            (prediction,) = cast("list[Matrix]", self._session.run([OUTPUT], {INPUT: matrix}))
        except Exception as error:  # ONNX Runtime raises a different class for each way a run can fail.
            raise PredictionError(f"the model failed on {len(matrix)} rows: {error}") from error
        if prediction.shape != (len(matrix), *self._output_shape):
            raise PredictionError(f"the model answered shape {prediction.shape} to {len(matrix)} rows")
        return prediction

    def nothing(self, rows: int) -> Matrix:
        """What `run` would give for `rows` rows of which nothing can be said: NaN."""
        return np.full((rows, *self._output_shape), np.nan, dtype=np.float32)

    def predict(self, matrix: Matrix) -> Matrix:
        """As `run`, but PredictionError when a prediction is not finite."""
        prediction = self.run(matrix)
        finite = np.isfinite(prediction)
        if not finite.all():
            raise not_finite(int(np.argwhere(~finite)[0][0]))
        return prediction


def not_finite(row: int) -> PredictionError:
    """The error for row number `row` of a request."""
    return PredictionError(f"the model's answer to row {row} is not a finite number")


def _shown(row_shape: tuple[int, ...]) -> str:
    return f"[{', '.join(['N', *map(str, row_shape)])}]"
