"""One turn of one server: started, checked against the model, loaded, weighed, stopped."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.serving.artefact import base_folder, car_rows
from benchmarks.serving.bodies import Body, body
from benchmarks.serving.environments import SetupError
from benchmarks.serving.figures import Limit, Round
from benchmarks.serving.load import Closed, closed, scheduled
from benchmarks.serving.places import ROOT
from benchmarks.serving.servers import Cores, Server, WrongAnswerError, free_port, pinned
from benchmarks.serving.targets import Target
from models.rows import feature_matrix
from models.spec import ModelSpec
from training.onnx_model import OnnxModel

CONNECTIONS: Final = 32
MANY: Final = 256


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What all measurements share."""

    spec: ModelSpec
    cores: Cores
    seconds: int
    """Length of one measurement."""

    @property
    def model(self) -> Path:
        """The graph that everybody runs."""
        return base_folder() / "model" / "model.onnx"

    def body(self, form: str, rows: int) -> Body:
        """That many cars in that form."""
        return body(self.spec, form, car_rows(self.spec, rows))

    def expected(self, rows: int) -> list[float]:
        """What the model says to that many cars."""
        cars = car_rows(self.spec, rows)
        matrix = feature_matrix(self.spec, {name: [car[name] for car in cars] for name in self.spec.features})
        return [float(value) for value in OnnxModel(self.model).predict(matrix)]


def play(target: Target, bench: Bench) -> tuple[Round, int]:
    """The figures of one turn, and the status of the answer to a wrong row.

    SetupError when it cannot be set up, WrongAnswerError when it does not answer as the model does.
    """
    port = free_port()
    one, many = bench.body(target.form, 1), bench.body(target.form, MANY)
    with Server(target.name, target.prepare(port), port, bench.cores.server) as server:
        start_s = server.wait_for(target, one, bench.expected(1))
        server.wait_for(target, many, bench.expected(MANY))
        refusal = _refusal(server, target, bench)

        scheduled(port, target.path, one, connections=CONNECTIONS, seconds=0.5, processors=bench.cores.load)
        by_one, cpu_one = _load(server, target, one, connections=CONNECTIONS, seconds=bench.seconds, bench=bench)
        by_many, cpu_256 = _load(server, target, many, connections=CONNECTIONS, seconds=bench.seconds, bench=bench)
        alone, _ = _load(server, target, one, connections=1, seconds=max(1, bench.seconds // 2), bench=bench)
        resident = server.resident_bytes()
    seen = {"one_row": by_one, "rows_256": by_many, "alone": alone}
    found = Round(
        start_s=start_s,
        one_row=by_one.requests_per_s,
        p50=by_one.p50,
        p99=by_one.p99,
        rows_256=by_many.requests_per_s,
        alone=alone.p50,
        resident=resident,
        cpu_one=cpu_one,
        cpu_256=cpu_256,
        sent={figure: each.sent for figure, each in seen.items()},
        failed={figure: each.failed for figure, each in seen.items()},
    )
    return found, refusal


def _load(
    server: Server, target: Target, sent: Body, *, connections: int, seconds: int, bench: Bench
) -> tuple[Closed, float]:
    """What wrk saw, and the server's processor time for a request in microseconds."""
    before = server.processor_seconds()
    found = closed(
        server.port, target.path, sent, connections=connections, seconds=seconds, processors=bench.cores.load
    )
    spent = server.processor_seconds() - before
    return found, 1e6 * spent / max(1.0, found.requests_per_s * seconds)


def _refusal(server: Server, target: Target, bench: Bench) -> int:
    """The status of the answer to a car of 100 lb; WrongAnswerError when it is taken for a car."""
    car = {**car_rows(bench.spec, 1)[0], "weight": 100}
    status, _ = server.ask("POST", target.path, body(bench.spec, target.form, [car]))
    if status < 400:
        raise WrongAnswerError(f"a car of 100 lb is answered {status}; it should be refused")
    return status


def play_limit(bench: Bench) -> Limit:
    """ONNX Runtime alone, on the server's processor."""
    rates: list[float] = []
    for rows in (1, MANY):
        arguments = ["-m", "benchmarks.serving.raw_runtime", str(bench.model), str(bench.seconds), str(rows)]
        done = subprocess.run(
            pinned(bench.cores.server, [sys.executable, *arguments]),
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SetupError(f"ONNX Runtime alone: {done.stderr.strip()[-200:]}")
        rates.append(float(done.stdout))
    return Limit(one_row=rates[0], rows_256=rates[1])
