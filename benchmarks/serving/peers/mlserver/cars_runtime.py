"""MLServer: a custom runtime over one tensor [N, 7] of the V2 protocol, checked with numpy."""

import numpy as np
from cars.model import load
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.errors import InferenceError
from mlserver.types import InferenceRequest, InferenceResponse

LOW = np.array([2, 30, 20, 1000, 3, 1970, 0], dtype=np.float32)
HIGH = np.array([16, 800, 500, 8000, 40, 1990, 2], dtype=np.float32)
WHOLE = [0, 3, 5, 6]


class Cars(MLModel):
    async def load(self) -> bool:
        self.run = load()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        rows = NumpyCodec.decode_input(payload.inputs[0]).astype(np.float32, copy=False)
        check(rows)
        output = NumpyCodec.encode_output("prediction", self.run(rows))
        return InferenceResponse(model_name=self.name, outputs=[output])


def check(rows):
    if rows.ndim != 2 or rows.shape[1] != 7:
        raise InferenceError(f"expected [N, 7], got {rows.shape}")
    missing = np.isnan(rows)
    missing[:, 2] = False
    wrong = missing | (rows < LOW) | (rows > HIGH)
    wrong[:, WHOLE] |= rows[:, WHOLE] % 1 != 0
    if wrong.any():
        row, field = np.argwhere(wrong)[0]
        raise InferenceError(f"row {row}, field {field}: out of range")
