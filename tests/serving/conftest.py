"""A small real artefact: the fuel-economy specification with a linear graph whose answers are known."""

import hashlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from models.rows import feature_matrix
from models.spec import ModelSpec, load_spec
from monitoring.baseline import describe
from serving.core.service import Service, load_service

ROOT = Path(__file__).resolve().parents[2]
MODEL_FOLDER = ROOT / "models" / "auto_mpg"
WEIGHTS = np.array([-0.3, 0.0, -0.03, -0.005, 0.0, 0.1, 1.5], dtype=np.float32)
BIAS = -150.0
HORSEPOWER_WHEN_MISSING = 100.0
PATIENCE = 60.0
"""Seconds that a test waits for what a busy machine may delay. What is promised in less time is measured by itself."""


def graph(weights: np.ndarray = WEIGHTS, bias: float = BIAS) -> bytes:
    """features [N, F] → weights · (features, NaN replaced) + bias, as [N]."""
    constants = [
        numpy_helper.from_array(weights.reshape(-1, 1), "weights"),
        numpy_helper.from_array(np.array(bias, dtype=np.float32), "bias"),
        numpy_helper.from_array(np.array(HORSEPOWER_WHEN_MISSING, dtype=np.float32), "fill"),
        numpy_helper.from_array(np.array([1], dtype=np.int64), "axes"),
    ]
    nodes = [
        helper.make_node("IsNaN", ["features"], ["missing"]),
        helper.make_node("Where", ["missing", "fill", "features"], ["filled"]),
        helper.make_node("MatMul", ["filled", "weights"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["sum"]),
        helper.make_node("Squeeze", ["sum", "axes"], ["prediction"]),
    ]
    built = helper.make_graph(
        nodes,
        "linear",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", len(weights)])],
        [helper.make_tensor_value_info("prediction", TensorProto.FLOAT, ["N"])],
        constants,
    )
    model = helper.make_model(built, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def training_columns(spec: ModelSpec) -> dict[str, list[object]]:
    """120 cars spread over plausible values, the same ones every time."""
    random = np.random.default_rng(7)
    count = 120
    weight = random.integers(1600, 5000, count)
    columns: dict[str, list[object]] = {
        "cylinders": [4 if pounds < 2600 else 6 if pounds < 3400 else 8 for pounds in weight],
        "displacement": [float(round(pounds / 12.5)) for pounds in weight],
        "horsepower": [None if i % 40 == 7 else float(round(pounds / 30)) for i, pounds in enumerate(weight)],
        "weight": [int(pounds) for pounds in weight],
        "acceleration": [float(value) for value in random.normal(15.5, 2.5, count).clip(8, 25).round(1)],
        "model_year": [int(year) for year in random.integers(1970, 1983, count)],
        "origin": [str(origin) for origin in random.choice(["USA", "Europe", "Japan"], count)],
    }
    mpg = predictions(spec, columns) + random.normal(0, 1.5, count)
    columns["mpg"] = [round(float(value), 1) for value in mpg]
    return columns


def predictions(spec: ModelSpec, columns: dict[str, list[object]]) -> np.ndarray:
    matrix = np.nan_to_num(feature_matrix(spec, columns), nan=HORSEPOWER_WHEN_MISSING)
    return matrix @ WEIGHTS + np.float32(BIAS)


def write_artefact(folder: Path, model: bytes | None = None, spec: ModelSpec | None = None) -> Path:
    """Write an artefact; the sha256 of its manifest is that of manifest.json's bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    spec = spec or load_spec(MODEL_FOLDER)
    columns = training_columns(spec)
    target = np.array(columns["mpg"], dtype=np.float64)
    (folder / "model.onnx").write_bytes(graph() if model is None else model)
    (folder / "spec.json").write_text(spec.to_json(), encoding="utf-8")
    baseline = describe(spec, columns, feature_matrix(spec, columns), target, predictions(spec, columns))
    baseline.save(folder / "baseline.json")
    write_manifest(folder)
    return folder


def write_manifest(folder: Path, **changes: object) -> None:
    names = ("model.onnx", "spec.json", "baseline.json")
    manifest: dict[str, object] = {
        "format": 1,
        "model": "auto-mpg",
        "files": {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names},
        "dataset": {"table": "auto_mpg", "snapshot_id": "4242424242424242424", "rows": 398},
        "git_commit": "0123456789abcdef0123456789abcdef01234567",
        "image": "111111111111.dkr.ecr.eu-west-1.amazonaws.com/drivetrain-local-training@sha256:" + "ab" * 32,
        "seed": 0,
        "hyperparameters": {},
        "metrics": {"mae": 1.9, "rmse": 2.71, "r2": 0.88},
        "libraries": {},
        "created_at": "2026-11-21T12:00:00Z",
    }
    (folder / "manifest.json").write_text(json.dumps(manifest | changes), encoding="utf-8")


@pytest.fixture(scope="session")
def spec() -> ModelSpec:
    return load_spec(MODEL_FOLDER)


@pytest.fixture(scope="session")
def base_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base directory as /opt/ml, with an artefact under model/. Tests only read it."""
    base = tmp_path_factory.mktemp("ml")
    write_artefact(base / "model")
    return base


@pytest.fixture(scope="session")
def service(base_dir: Path) -> Service:
    return load_service(
        base_dir / "model", None, "arn:aws:sagemaker:eu-west-1:111111111111:model-package/drivetrain-local-auto-mpg/3"
    )


@pytest.fixture
def artefact(tmp_path: Path) -> Path:
    """An artefact of the test's own, to be damaged."""
    return write_artefact(tmp_path / "model")


@pytest.fixture(scope="session")
def make_artefact() -> Callable[..., Path]:
    return write_artefact


@pytest.fixture(scope="session")
def make_manifest() -> Callable[..., None]:
    return write_manifest


@pytest.fixture(scope="session")
def make_graph() -> Callable[..., bytes]:
    return graph


@pytest.fixture
def car() -> dict[str, object]:
    """A row that the specification accepts."""
    return {
        "cylinders": 4,
        "displacement": 97.0,
        "horsepower": 88.0,
        "weight": 2130,
        "acceleration": 14.5,
        "model_year": 1971,
        "origin": "Japan",
    }


def keep_free_port() -> socket.socket:
    """A socket whose port nobody else is given while it is open: only who asks for that very port can listen there."""
    kept = socket.socket()
    kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    kept.bind(("127.0.0.1", 0))
    return kept


class Process:
    """A server process on a free port of this machine, its stderr kept in a file."""

    def __init__(self, base: Path, log: Path, files: int | None = None, **environ: str) -> None:
        self._kept = keep_free_port()
        self.port: int = self._kept.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = log
        settings = {
            "SAGEMAKER_BASE_DIR": str(base),
            "SAGEMAKER_BIND_TO_PORT": str(self.port),
            "SERVING_HOST": "127.0.0.1",
            "SERVING_WORKERS": "1",
            "PYTHONPATH": str(ROOT),
        }
        with log.open("wb") as file:
            limited = ["prlimit", f"--nofile={files}"] if files else []
            self.process = subprocess.Popen(
                [*limited, sys.executable, "-m", "serving", "serve"], env=os.environ | settings | environ, stderr=file
            )

    def wait_until_ready(self, seconds: float = PATIENCE) -> None:
        """Until it answers and has said so: whatever the log has later is about what came later."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if httpx.get(f"{self.url}/ping", timeout=5).status_code == 200:
                    self.wait_until_said(" ready, loaded in ")
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"the server is not ready: {self.stderr()}")

    def wait_until_said(self, text: str, seconds: float = PATIENCE) -> None:
        """Wait until the log has `text`: a worker answers before its group's process has said so."""
        deadline = time.monotonic() + seconds
        while text not in self.stderr():
            assert time.monotonic() < deadline, f"not said: {text!r}, but {self.stderr()!r}"
            time.sleep(0.02)

    def stderr(self) -> str:
        """The log so far; a line that is just being written is waited for."""
        deadline = time.monotonic() + 2
        while not (content := self.log.read_bytes()).endswith(b"\n") and content and time.monotonic() < deadline:
            time.sleep(0.005)
        return content.decode()

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._kept.close()


@pytest.fixture(scope="session")
def start_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Process]]:
    """Start server processes that end with the tests; `files` is the most that one may have open."""
    started: list[Process] = []

    def start(base: Path, *, files: int | None = None, **environ: str) -> Process:
        started.append(Process(base, tmp_path_factory.mktemp("server") / "stderr", files, **environ))
        return started[-1]

    yield start
    for process in started:
        process.end()
