"""How long the main job takes on this machine, and how much memory: `python -m benchmarks.platform_loop`.

One rehearsal of its own, from nothing: up, up again, a second training, its release, down. The goals are those of the
issue that asked for the loop; nothing is asserted.
"""

import re
import subprocess
import sys
import time
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from benchmarks.machine import PeakMemory, describe

_NAME = "benchmark"
_STAGE = re.compile(r"^ok (?P<title>.+?) (?P<seconds>\d+\.\d) s\b")


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured value beside its goal, both in `unit`."""

    subject: str
    measured: float
    goal: float | None
    unit: str


def run(*arguments: str) -> tuple[float, str]:
    """Run one command of the command line; its time in seconds and what it printed."""
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "cli", *arguments, "--rehearsal", _NAME], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"drivetrain {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return time.monotonic() - started, done.stdout


def stage_seconds(output: str, title: str) -> float:
    """The time that the stage with this title says it took."""
    for line in output.splitlines():
        match = _STAGE.match(line)
        if match and match["title"].startswith(title):
            return float(match["seconds"])
    raise SystemExit(f"no stage {title!r} in:\n{output}")


def measure() -> list[Figure]:
    """Every figure, in the order they come about."""
    run("local", "down")
    try:
        with PeakMemory(_NAME) as memory:
            up, output = run("local", "up")
            again, _ = run("local", "up")
            train, _ = run("train", "auto-mpg")
            _, adopted = run("releases", "adopt", "auto-mpg")
    finally:
        run("local", "down")
    return [
        Figure(subject="drivetrain local up, environment installed", measured=up, goal=45, unit="s"),
        Figure(subject="  applying the program", measured=stage_seconds(output, "deploy"), goal=10, unit="s"),
        Figure(subject="  the pipeline", measured=stage_seconds(output, "run the pipeline"), goal=None, unit="s"),
        Figure(subject="  the endpoint", measured=stage_seconds(output, "bring the end"), goal=None, unit="s"),
        Figure(subject="drivetrain local up, again", measured=again, goal=None, unit="s"),
        Figure(subject="drivetrain train", measured=train, goal=None, unit="s"),
        Figure(subject="a second release applied", measured=stage_seconds(adopted, "deploy"), goal=5, unit="s"),
        Figure(subject="peak memory of everything together (PSS)", measured=memory.bytes / 1e9, goal=3, unit="GB"),
    ]


def main() -> None:
    """Measure and print."""
    console = Console(soft_wrap=True, highlight=False)
    console.print(describe())
    table = Table("figure", "measured", "goal: at most", box=None)
    for figure in measure():
        goal = "" if figure.goal is None else f"{figure.goal:g} {figure.unit}"
        table.add_row(figure.subject, f"{figure.measured:.1f} {figure.unit}", goal)
    console.print(table)


if __name__ == "__main__":
    main()
