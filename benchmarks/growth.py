"""How the program grows with its models, in one stack and in a stack per model: `python -m benchmarks growth`.

A temporary copy of the checkout gets 1, 10 and 100 models (`python -m benchmarks.growth 1 10` for fewer). The program
runs under Pulumi's mock monitor, each measurement in a process of its own; processor time is counted, so that a busy
machine shows the same. What the real engine adds is computed, and says so: it was measured once, with Pulumi 3.260,
stand-in providers and a self-managed backend in a folder, where 100 resources took 5 s and 1,000 took 67 s.
"""

import json
import math
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from rich.console import Console
from rich.table import Table

from benchmarks.growth_program import ENVIRONMENT, Figures, Run
from benchmarks.machine import describe
from infra.scope import Scope
from infra.settings import SETTINGS_KEY
from infra.sources import project_directory

COUNTS = (1, 10, 100)
SCOPES: tuple[Scope, ...] = ("stack", "models")
_FILES = ("Pulumi.yaml", f"Pulumi.{ENVIRONMENT}.yaml", "__main__.py")
_FOLDERS = ("infra", "lake", "models", "monitoring", "pipelines", "requirements", "serving", "training")
_TEMPLATE = "auto_mpg"
# An `up` with n new resources takes a·n for them and b·n² for the checkpoint, which is written whole after each.
_ENGINE = np.linalg.solve([[100.0, 100.0**2], [1000.0, 1000.0**2]], [5.0, 67.0])
_AT_ONCE = 4
_STEEPEST = 1.15


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One number of models in one scope."""

    models: int
    scope: Scope
    figures: Figures

    @property
    def resources(self) -> int:
        """Of all stacks."""
        return sum(run.resources for run in self.figures.runs)

    @property
    def largest(self) -> Run:
        """The stack with the most resources."""
        return max(self.figures.runs, key=lambda run: run.resources)

    @property
    def seconds(self) -> float:
        """Of the program, for all stacks one after another."""
        return sum(run.seconds for run in self.figures.runs)

    @property
    def memory_per_resource(self) -> float:
        """Bytes, in the process that needs most."""
        return self.figures.memory_bytes / self.largest.resources

    @property
    def state_bytes(self) -> float:
        """What a first `up` writes: every stack's checkpoint as often as it has resources, half full on average."""
        return sum(run.checkpoint_bytes * run.resources / 2 for run in self.figures.runs)

    @property
    def engine_seconds(self) -> float:
        """What a first `up` would take at the pace measured: the platform's, then the models' four at once."""
        first, *others = [float(_ENGINE @ [run.resources, run.resources**2]) for run in self.figures.runs]
        return first + sum(others) / min(_AT_ONCE, max(1, len(others)))


def measure(models: int, scope: Scope) -> Measurement:
    """Run the program of a checkout with that many models."""
    with tempfile.TemporaryDirectory(prefix="growth-") as folder:
        project = Path(folder) / "project"
        write_project(project, models, scope)
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.growth_program", str(project)],
            cwd=project_directory(),
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise SystemExit(f"the program with {models} models failed:\n{done.stderr}")
    document: dict[str, Any] = json.loads(done.stdout)
    runs = [Run(**run) for run in document.pop("runs")]
    return Measurement(models=models, scope=scope, figures=Figures(runs=runs, **document))


def write_project(folder: Path, models: int, scope: Scope) -> None:
    """A copy of what the program is made of, with so many models, all like the first."""
    folder.mkdir(parents=True)
    for name in _FILES:
        shutil.copy(project_directory() / name, folder / name)
    for name in _FOLDERS:
        shutil.copytree(project_directory() / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for number in range(1, models):
        shutil.copytree(folder / "models" / _TEMPLATE, folder / "models" / f"model_{number:03}")
    file = folder / f"Pulumi.{ENVIRONMENT}.yaml"
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    document["config"][SETTINGS_KEY]["scope"] = scope
    file.write_text(yaml.safe_dump(document), encoding="utf-8")


@dataclass(frozen=True, kw_only=True)
class Growth:
    """`y = a + b·x` through the measured points, and how steep the last step is in a doubly logarithmic plot."""

    per_unit: float
    r_squared: float
    exponent: float

    @property
    def linear(self) -> bool:
        """Whether ten times as much takes about ten times as long, or less."""
        return self.exponent <= _STEEPEST


def growth(x: Sequence[float], y: Sequence[float]) -> Growth:
    """The growth of `y` with `x`, each of two or more points in ascending order."""
    slope, offset = np.polyfit(x, y, 1)
    residual = float(np.sum((np.asarray(y) - (offset + slope * np.asarray(x))) ** 2))
    total = float(np.sum((np.asarray(y) - np.mean(y)) ** 2))
    exponent = math.log(y[-1] / y[-2]) / math.log(x[-1] / x[-2])
    return Growth(per_unit=float(slope), r_squared=1 - residual / total if total else 1.0, exponent=exponent)


def verdicts(found: Sequence[Measurement]) -> list[str]:
    """One line per quantity that should grow in proportion; `found` are those of one scope."""
    scope, x = found[0].scope, [float(each.resources) for each in found]
    columns = {
        "resources by models": ([float(each.models) for each in found], x, "per model", 1.0, ""),
        "program time by resources": (x, [each.seconds for each in found], "per resource", 1e3, " ms"),
    }
    if scope == "stack":  # else the process is as large with a hundred models as with one
        memory = [float(each.figures.memory_bytes) for each in found]
        columns["memory by resources"] = (x, memory, "per resource", 1e-3, " kB")
    lines: list[str] = []
    for title, (xs, ys, unit, factor, suffix) in columns.items():
        line = growth(xs, ys)
        said = "linear" if line.linear else "NOT linear"
        lines.append(
            f"scope {scope}, {title}: {said}, {line.per_unit * factor:.1f}{suffix} {unit}, "
            f"r² {line.r_squared:.4f}, exponent of the last step {line.exponent:.2f}"
        )
    return lines


def main(counts: Sequence[int] = COUNTS) -> None:
    """Measure and print."""
    console = Console(soft_wrap=True, highlight=False, width=max(120, shutil.get_terminal_size().columns))
    console.print(describe())
    headings = ("scope", "models", "stacks", "resources", "largest", "program, s", "ms each", "kB each")
    table = Table(*headings, "state, MB", "up, s", box=None)
    lines: list[str] = []
    for scope in SCOPES:
        found = [measure(count, scope) for count in counts]
        for each in found:
            table.add_row(*_cells(each))
        table.add_section()
        lines += verdicts(found) if len(found) > 1 else []
    console.print(table)
    console.print("program: processor seconds of the program in all stacks, without imports, under mocks")
    console.print("kB each: memory per resource of the largest process, above what imports take")
    console.print(
        "state, up: computed, not run: what a first `up` writes to a self-managed backend, and how long it would"
    )
    console.print(f"take at the pace of Pulumi 3.260 on a file backend, models {_AT_ONCE} at once")
    for line in lines:
        console.print(line)


def _cells(each: Measurement) -> tuple[str, ...]:
    return (
        each.scope,
        str(each.models),
        str(len(each.figures.runs)),
        str(each.resources),
        str(each.largest.resources),
        f"{each.seconds:.1f}",
        f"{1e3 * each.seconds / each.resources:.1f}",
        f"{each.memory_per_resource / 1e3:.0f}",
        f"{each.state_bytes / 1e6:,.0f}",
        f"{each.engine_seconds:,.0f}",
    )


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or COUNTS)
