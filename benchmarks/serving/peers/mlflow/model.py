"""MLflow: the model as a pyfunc over a tensor [N, 7], whose shape the signature checks and whose values numpy does.

`python model.py FOLDER MODEL` saves it, `mlflow models serve` serves it. A signature of named columns makes a DataFrame
of each request, which takes several times as long.
"""

import sys

import mlflow
import numpy as np
import onnxruntime
from mlflow.models import set_model
from mlflow.types import Schema, TensorSpec

LOW = np.array([2, 30, 20, 1000, 3, 1970, 0], dtype=np.float32)
HIGH = np.array([16, 800, 500, 8000, 40, 1990, 2], dtype=np.float32)
WHOLE = [0, 3, 5, 6]


class Cars(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        path = context.artifacts["model"]
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def predict(self, context, model_input, params=None):
        rows = np.asarray(model_input, dtype=np.float32)
        missing = np.isnan(rows)
        missing[:, 2] = False
        wrong = missing | (rows < LOW) | (rows > HIGH)
        wrong[:, WHOLE] |= rows[:, WHOLE] % 1 != 0
        if wrong.any():
            row, field = np.argwhere(wrong)[0]
            raise mlflow.MlflowException(f"row {row}, field {field}: out of range", error_code=1000)
        return self.session.run(["prediction"], {"features": rows})[0]


def save(folder, model):
    signature = mlflow.models.ModelSignature(
        inputs=Schema([TensorSpec(np.dtype(np.float32), (-1, 7))]),
        outputs=Schema([TensorSpec(np.dtype(np.float32), (-1,))]),
    )
    mlflow.pyfunc.save_model(folder, python_model=__file__, artifacts={"model": model}, signature=signature)


if __name__ == "__main__":
    save(sys.argv[1], sys.argv[2])
else:
    set_model(Cars())
