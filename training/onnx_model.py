"""Running an exported graph with ONNX Runtime, as serving does; no torch."""

from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import onnxruntime  # pyright: ignore[reportMissingTypeStubs]

_runtime = cast("Any", onnxruntime)  # it ships no types


class OnnxModel:
    """A graph `features` float32 [N, F] → `prediction` [N] in a CPU session."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        options = _runtime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = _runtime.InferenceSession(path, sess_options=options, providers=["CPUExecutionProvider"])

    def predict(self, features: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Predictions [N] in the target's unit for encoded rows [N, F]."""
        (prediction,) = self._session.run(["prediction"], {"features": np.ascontiguousarray(features, np.float32)})
        return np.asarray(prediction, dtype=np.float64)
