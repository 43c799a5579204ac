"""The physical limit: how often ONNX Runtime alone answers, called from Python in a loop.

`python -m benchmarks.serving.raw_runtime MODEL SECONDS ROWS` prints calls a second.
"""

import sys
import time
from typing import Any, cast

import numpy as np
import onnxruntime  # pyright: ignore[reportMissingTypeStubs]


def calls_per_second(model: str, seconds: float, rows: int) -> float:
    """Calls a second of a session with one thread over `rows` rows of zeros."""
    runtime = cast("Any", onnxruntime)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    wanted, given = ["prediction"], {"features": np.zeros((rows, session.get_inputs()[0].shape[1]), dtype=np.float32)}
    run, calls, clock = session.run, 0, time.perf_counter
    began = clock()
    while clock() - began < seconds:
        for _ in range(100):
            run(wanted, given)
        calls += 100
    return calls / (clock() - began)


if __name__ == "__main__":
    print(calls_per_second(sys.argv[1], float(sys.argv[2]), int(sys.argv[3])))
