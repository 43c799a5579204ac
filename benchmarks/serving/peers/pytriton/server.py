"""PyTriton: one tensor [N, 7] over Triton's HTTP, checked with numpy."""

import os

import numpy as np
from cars.model import load
from pytriton.decorators import batch
from pytriton.model_config import ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig

LOW = np.array([2, 30, 20, 1000, 3, 1970, 0], dtype=np.float32)
HIGH = np.array([16, 800, 500, 8000, 40, 1990, 2], dtype=np.float32)
WHOLE = [0, 3, 5, 6]


def main():
    predict = load()

    @batch
    def infer(features):
        missing = np.isnan(features)
        missing[:, 2] = False
        wrong = missing | (features < LOW) | (features > HIGH)
        wrong[:, WHOLE] |= features[:, WHOLE] % 1 != 0
        if wrong.any():
            row, field = np.argwhere(wrong)[0]
            raise ValueError(f"row {row}, field {field}: out of range")
        return {"prediction": predict(features)[:, None]}

    port = int(os.environ["BENCH_PORT"])
    config = TritonConfig(http_port=port, http_address="127.0.0.1", allow_grpc=False, allow_metrics=False)
    with Triton(config=config) as triton:
        triton.bind(
            model_name="cars",
            infer_func=infer,
            inputs=[Tensor(name="features", dtype=np.float32, shape=(7,))],
            outputs=[Tensor(name="prediction", dtype=np.float32, shape=(1,))],
            config=ModelConfig(max_batch_size=1024),
        )
        triton.serve()


if __name__ == "__main__":
    main()
