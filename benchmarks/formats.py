"""What a smaller form of the graph gives and costs: `python -m benchmarks formats`.

The worked example is trained once; every form is then measured on the same held-out rows, in turns, so that a busy
machine slows all of them alike. Beside our own formats stand those of ONNX Runtime's own tools. The last column is what
decided: how far a row's prediction moves with the rows beside it (docs/adr/0021).
"""

import logging
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import onnx
from onnxruntime import quantization  # pyright: ignore[reportMissingTypeStubs]
from onnxruntime.transformers.float16 import (  # pyright: ignore[reportMissingTypeStubs]
    convert_float_to_float16,  # pyright: ignore[reportUnknownVariableType]
)
from rich.console import Console
from rich.table import Table

from benchmarks.machine import describe
from benchmarks.training import cars_by_side
from models.spec import ModelSpec
from training.dataset import Rows
from training.export import export_onnx
from training.fit import Surroundings
from training.metrics import regression_metrics
from training.network import load_network
from training.onnx_model import OnnxModel
from training.onnx_weights import half_weights, int8_weights
from training.specs import spec_named
from training.train import Settings, fit_network, make_deterministic

_ROUNDS, _RUNS = 15, 40
_FLOAT32 = "float32"
Matrix = npt.NDArray[np.float32]
Make = Callable[[Path, Path, Matrix], None]


@dataclass(frozen=True)
class Form:
    """One form: bytes, mean absolute error, median microseconds a row at 1 and 256, and the most a row moved."""

    name: str
    size: int
    mae: float
    one: float
    many: float
    moved: float


def train(spec: ModelSpec, folder: Path, sides: dict[str, Rows]) -> Path:
    """The released model's graph, trained on the first split."""
    hyperparameters = {key: str(value) for key, value in spec.training.hyperparameters.items()}
    settings = Settings.parse(load_network(spec), hyperparameters)
    make_deterministic(1)
    surroundings = Surroundings(folder, "benchmark", lambda: False, lambda _line: None)
    trained = fit_network(spec, settings, sides["train"], sides["validation"], surroundings)
    path = folder / f"{_FLOAT32}.onnx"
    export_onnx(trained.network, path, sides["train"].features)
    return path


def _converted(convert: Callable[[bytes], bytes]) -> Make:
    return lambda source, target, _rows: cast("None", target.write_bytes(convert(source.read_bytes())))


def _dynamic(source: Path, target: Path, _rows: Matrix) -> None:
    cast("Any", quantization).quantize_dynamic(source, target, weight_type=cast("Any", quantization).QuantType.QInt8)


def _static(source: Path, target: Path, rows: Matrix) -> None:
    tools = cast("Any", quantization)
    given = iter([{"features": rows}])

    def get_next(_self: object) -> object:
        return next(given, None)

    reader = type("Reader", (tools.CalibrationDataReader,), {"get_next": get_next})()
    tools.quantize_static(source, target, reader, op_types_to_quantize=["MatMul"], weight_type=tools.QuantType.QInt8)


def _half(source: Path, target: Path, _rows: Matrix) -> None:
    model = onnx.load_model_from_string(source.read_bytes())
    converted = cast("Any", convert_float_to_float16)(model, keep_io_types=True)
    target.write_bytes(converted.SerializeToString())


FORMS: dict[str, Make] = {
    "int8 weights (ours)": _converted(int8_weights),
    "float16 weights (ours)": _converted(half_weights),
    "quantize_dynamic": _dynamic,
    "quantize_static, QDQ": _static,
    "float16 throughout": _half,
}


def measure(paths: dict[str, Path], rows: Rows) -> list[Form]:
    """Every form on the same rows; the times are medians over rounds in which each has its turn."""
    models = {name: OnnxModel(path) for name, path in paths.items()}
    many = np.resize(rows.features, (256, rows.features.shape[1]))
    seconds: dict[tuple[str, int], list[float]] = {}
    for _ in range(_ROUNDS):
        for name, model in models.items():
            for batch in (many[:1], many):
                seconds.setdefault((name, len(batch)), []).append(_run(model, batch))
    return [
        Form(
            name=name,
            size=paths[name].stat().st_size,
            mae=regression_metrics(rows.target, model.predict(rows.features))["mae"],
            one=float(np.median(seconds[name, 1])) * 1e6,
            many=float(np.median(seconds[name, 256])) * 1e6 / 256,
            moved=_moved(model, many),
        )
        for name, model in models.items()
    ]


def _run(model: OnnxModel, batch: Matrix) -> float:
    """Seconds of one run, the median of some."""
    found: list[float] = []
    for _ in range(_RUNS):
        begun = time.perf_counter()
        model.predict(batch)
        found.append(time.perf_counter() - begun)
    return float(np.median(found))


def _moved(model: OnnxModel, many: Matrix) -> float:
    """The largest relative difference of a row's prediction in company from that alone."""
    together = model.predict(many)
    alone = np.concatenate([model.predict(many[row : row + 1]) for row in range(len(many))])
    return float((np.abs(together - alone) / np.abs(alone)).max())


def main() -> None:
    """Train, convert, measure, print."""
    logging.getLogger().setLevel(logging.ERROR)  # the tools advise a preparation that changes nothing here
    spec = spec_named("auto-mpg")
    sides = cars_by_side(spec, 0)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        source = train(spec, folder, sides)
        paths = {_FLOAT32: source}
        for name, make in FORMS.items():
            paths[name] = folder / f"{name}.onnx"
            make(source, paths[name], sides["train"].features)
        _print(measure(paths, sides["test"]), len(sides["test"]))


def _print(forms: Iterable[Form], rows: int) -> None:
    table = Table(title=f"formats of auto-mpg, {rows} test rows", title_justify="left", box=None, pad_edge=False)
    for heading in ("form", "bytes", "mae", "µs a row, 1", "µs a row, 256", "moved by company"):
        table.add_column(heading, justify="left" if heading == "form" else "right")
    for form in forms:
        figures = (f"{form.size:,}", f"{form.mae:.4f}", f"{form.one:.1f}", f"{form.many:.2f}", f"{form.moved:.1e}")
        table.add_row(form.name, *figures)
    console = Console(width=120)
    console.print(table)
    console.print(describe())
