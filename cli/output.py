"""What commands print: colour and spinners in a terminal, plain lines elsewhere."""

import json
import sys
import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

# Where there is no terminal nothing is folded: a line of a table stays a line for whoever reads on.
_PLAIN_WIDTH = 400
console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _PLAIN_WIDTH)
errors = Console(stderr=True, highlight=False, soft_wrap=True)


@dataclass
class Stage:
    """A step of a long command: what it did is said behind its time."""

    title: str
    outcome: str = ""
    notes: list[str] = field(default_factory=list[str])

    def note(self, line: str) -> None:
        """Print a line below the stage at once, so that long work shows progress."""
        console.print(f"    {line}", markup=False)


@contextmanager
def stage(title: str) -> Generator[Stage]:
    """Show `title` while the work runs, then the time it took and its outcome."""
    running = Stage(title=title)
    started = time.monotonic()
    with console.status(escape(title)) if console.is_terminal else _announced(title):
        yield running
    seconds = time.monotonic() - started
    mark = "[green]✓[/green]" if console.is_terminal else "ok"
    console.print(f"{mark} {escape(title)} [dim]{seconds:.1f} s[/dim]  {escape(running.outcome)}".rstrip())


@contextmanager
def _announced(title: str) -> Generator[None]:
    console.print(f".. {title}", markup=False)
    yield


def print_json(value: object) -> None:
    """Print `value` for a script to read."""
    sys.stdout.write(json.dumps(value, indent=2, default=str) + "\n")


def print_table(title: str, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under headings; numbers stand to the right."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    listed = [[_cell(value) for value in row] for row in rows]
    for position, heading in enumerate(headings):
        numeric = bool(listed) and all(_is_number(row[position]) for row in listed)
        table.add_column(heading, justify="right" if numeric else "left", overflow="fold", no_wrap=numeric)
    for row in listed:
        table.add_row(*map(escape, row))
    console.print(table)


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:,.6g}" if isinstance(value, float) else str(value)


def _is_number(text: str) -> bool:
    return text == "–" or text.replace(",", "").replace(".", "", 1).lstrip("-").isdigit()
