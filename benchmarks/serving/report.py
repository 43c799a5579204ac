"""The figures as a table for people and as JSON for programs."""

from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.serving.figures import Figures
from benchmarks.serving.goals import Verdict, unmet, verdicts
from benchmarks.serving.targets import TARGETS, Target

_WORDS = {True: "met", False: "MISSED", None: "not told"}


def show(figures: Figures, console: Console) -> None:
    """Print the table of servers, then every goal."""
    console.print(f"{figures.machine}; {figures.began}")
    console.print(_servers(figures))
    console.print("one processor for the server, one for the load; medians of interleaved rounds; 32 connections but")
    console.print(
        "for `alone` (p50 of one connection); start: to the first right answer; wrong row: status of its answer"
    )
    for name, reason in figures.reasons.items():
        console.print(f"{name}: not measured: {reason}", markup=False)
    console.print(_goals(verdicts(figures)))


def _servers(figures: Figures) -> Table:
    headings = (
        "server",
        "1 row/s",
        "256 rows/s",
        "p50",
        "p99",
        "alone",
        "cpu 1",
        "cpu 256",
        "start",
        "memory",
        "wrong row",
        "failed",
    )
    table = Table(*headings, box=None)
    for target in TARGETS:
        if target.name in figures.rounds:
            table.add_row(*_cells(target, figures))
        elif target.name in figures.reasons:
            table.add_row(target.title, "not measured: see below")
    if figures.limits:
        table.add_row("ONNX Runtime alone", *(f"{figures.limit(of) or 0:,.0f}" for of in ("one_row", "rows_256")))
    return table


def _cells(target: Target, figures: Figures) -> tuple[str, ...]:
    def median(of: str) -> float:
        return figures.median(target.name, of) or 0

    return (
        target.title,
        f"{median('one_row'):,.0f}",
        f"{median('rows_256'):,.0f}",
        f"{median('p50') / 1e3:.2f} ms",
        f"{median('p99') / 1e3:.2f} ms",
        f"{median('alone') / 1e3:.3f} ms",
        f"{median('cpu_one'):.0f} µs",
        f"{median('cpu_256'):.0f} µs",
        f"{median('start_s'):.1f} s",
        f"{median('resident') / 1e6:.0f} MB",
        str(figures.refusals.get(target.name, "")),
        f"{sum(sum(each.failed.values()) for each in figures.rounds[target.name])}",
    )


def _goals(listed: list[Verdict]) -> Table:
    table = Table("what", "goal", "seen", "", box=None)
    for verdict in listed:
        table.add_row(verdict.what, verdict.goal, verdict.seen, _WORDS[verdict.met])
    missed = unmet(listed)
    table.add_section()
    table.add_row(
        f"{len(listed)} goals", "", f"{len(missed)} missed, {sum(v.met is None for v in listed)} not told", ""
    )
    return table


def document(figures: Figures) -> dict[str, Any]:
    """Everything, for `--json`."""
    medians = {
        name: {of: figures.median(name, of) for of in asdict(rounds[0]) if of not in {"sent", "failed"}}
        for name, rounds in figures.rounds.items()
        if rounds
    }
    return {**asdict(figures), "medians": medians, "goals": [asdict(verdict) for verdict in verdicts(figures)]}
