"""`make bench-serving`: our server, its peers and ONNX Runtime alone, on this machine, in one run.

`--quick` measures a second each (under six minutes with the environments set up); `--resume` goes on with a run that
was cut short; `--peers starlette robyn` and `--only peers formats` measure a part, and add it to what was measured.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from benchmarks.machine import describe
from benchmarks.serving.environments import SetupError, install_tools
from benchmarks.serving.figures import ROUNDS, Figures
from benchmarks.serving.load import LoadError
from benchmarks.serving.places import KEPT, ROOT
from benchmarks.serving.questions import QUESTIONS
from benchmarks.serving.report import document, show
from benchmarks.serving.servers import WrongAnswerError, cores, needs
from benchmarks.serving.targets import TARGETS, Target
from benchmarks.serving.turn import Bench, play, play_limit
from models.spec import find_spec

RESULTS = KEPT / "results.json"
_PEERS = "peers"
_BROKEN = (SetupError, WrongAnswerError, LoadError)


def main(arguments: Sequence[str]) -> int:
    """Measure and print; 0 whatever the figures are, 1 when nothing could be measured."""
    options = _options(arguments)
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    try:
        install_tools()
        needs("wrk", "taskset")
        bench = Bench(spec=find_spec(ROOT / "models", "auto-mpg"), cores=cores(), seconds=1 if options.quick else 5)
    except SetupError as error:
        print(f"benchmarks.serving: {error}", file=sys.stderr)
        return 1
    part = options.resume or options.peers or options.only
    figures = Figures.load(RESULTS) if part else Figures()
    figures.machine, figures.began = describe(), datetime.now(UTC).isoformat(timespec="minutes")
    only = options.only or [_PEERS, *QUESTIONS]
    if _PEERS in only:
        chosen = [target for target in TARGETS if not options.peers or target.name in options.peers]
        if not options.resume:
            for target in chosen:
                figures.rounds.pop(target.name, None)
                figures.reasons.pop(target.name, None)
            figures.limits.clear()
        _play_all(chosen, bench, figures, options.rounds, console)
    for name in [] if options.peers and not options.only else [name for name in QUESTIONS if name in only]:
        if not (options.resume and name in figures.own):
            _ask(name, bench, figures, console)
    _print(figures, options.json)
    return 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="measure 1 s each instead of 5")
    parser.add_argument("--resume", action="store_true", help="keep what the last run has measured")
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N", help=f"turns of each server ({ROUNDS})")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything to FILE, too")
    parser.add_argument("--only", nargs="+", choices=[_PEERS, *QUESTIONS], help="answer these questions")
    names = [target.name for target in TARGETS]
    parser.add_argument("--peers", nargs="+", choices=names, metavar="NAME", help=f"of {', '.join(names)}")
    return parser.parse_args(arguments)


def _play_all(chosen: Sequence[Target], bench: Bench, figures: Figures, rounds: int, console: Console) -> None:
    """That many turns of each, one after another, so that what the machine does beside hits all alike.

    A server whose turn failed gets its next one; what cannot be set up does not.
    """
    without: set[str] = set()
    for number in range(1, rounds + 1):
        if len(figures.limits) < number:
            figures.limits.append(play_limit(bench))
        for target in chosen:
            if target.name in without or len(figures.rounds.get(target.name, [])) >= number:
                continue
            try:
                found, figures.refusals[target.name] = play(target, bench)
            except _BROKEN as error:
                figures.reasons[target.name] = str(error)
                without |= {target.name} if isinstance(error, SetupError) else set()
                console.print(f"round {number}, {target.name}: {error}", markup=False)
            else:
                figures.rounds.setdefault(target.name, []).append(found)
                figures.reasons.pop(target.name, None)
                rates = f"{found.one_row:,.0f}/s, {found.rows_256:,.0f}/s at 256 rows, alone {found.alone:.0f} µs"
                rates += f", cpu {found.cpu_one:.0f} µs, {found.cpu_256:.0f} µs"
                console.print(f"round {number}, {target.name}: {rates}")
            figures.save(RESULTS)


def _ask(name: str, bench: Bench, figures: Figures, console: Console) -> None:
    figures.own.pop(name, None)
    try:
        figures.own[name] = QUESTIONS[name](bench)
        console.print(f"{name}: " + ", ".join(f"{key} {value:,.6g}" for key, value in figures.own[name].items()))
    except (*_BROKEN, KeyError) as error:
        console.print(f"{name}: {error}", markup=False)
    figures.save(RESULTS)


def _print(figures: Figures, file: Path | None) -> None:
    show(figures, Console(soft_wrap=True, highlight=False, width=160))
    if file:
        file.write_text(json.dumps(document(figures), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
