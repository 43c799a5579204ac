"""The model, one thread, as ONNX Runtime runs it."""

import os

import numpy as np
import onnxruntime

ORIGINS = {"USA": 0.0, "Europe": 1.0, "Japan": 2.0}


def load():
    """Rows [N, 7] float32 → predictions [N] float32."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(os.environ["BENCH_MODEL"], options, providers=["CPUExecutionProvider"])
    return lambda rows: session.run(["prediction"], {"features": rows})[0]


def matrix(cars):
    """Cars with attributes → [N, 7] float32; a missing horsepower is NaN."""
    return np.array(
        [
            (
                car.cylinders,
                car.displacement,
                np.nan if car.horsepower is None else car.horsepower,
                car.weight,
                car.acceleration,
                car.model_year,
                ORIGINS[car.origin],
            )
            for car in cars
        ],
        dtype=np.float32,
    )
