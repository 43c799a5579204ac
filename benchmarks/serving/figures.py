"""What a run has measured so far, in a file, so that a run that was cut short can be gone on with."""

import json
import statistics
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

ROUNDS = 3


@dataclass(frozen=True, kw_only=True)
class Round:
    """One turn of one server. Latencies in microseconds, memory in bytes."""

    start_s: float
    """From the start of the process to the first right answer."""
    one_row: float
    """Requests a second of one row, 32 connections."""
    p50: float
    p99: float
    rows_256: float
    """Requests a second of 256 rows, 32 connections."""
    alone: float
    """p50 of one row with one connection."""
    resident: float
    cpu_one: float
    """Processor time of the server for a request of one row, in microseconds: tells more on a busy machine."""
    cpu_256: float
    sent: dict[str, int]
    """Requests behind `one_row` (and p50, p99), `rows_256` and `alone`."""
    failed: dict[str, int]
    """Those of them that were not answered with 2xx: a rate counts them, too."""


@dataclass(frozen=True, kw_only=True)
class Limit:
    """ONNX Runtime alone, called in a loop: calls a second."""

    one_row: float
    rows_256: float


@dataclass(kw_only=True)
class Figures:
    """Everything measured; `reasons` says why a server has none."""

    machine: str = ""
    began: str = ""
    rounds: dict[str, list[Round]] = field(default_factory=dict[str, list[Round]])
    limits: list[Limit] = field(default_factory=list[Limit])
    reasons: dict[str, str] = field(default_factory=dict[str, str])
    refusals: dict[str, int] = field(default_factory=dict[str, int])
    """The status of the answer to a row that is wrong, by server."""
    own: dict[str, dict[str, float]] = field(default_factory=dict[str, dict[str, float]])
    """Answers to the questions about our own server, by question and name."""

    def median(self, server: str, figure: str) -> float | None:
        """The median over the rounds; None for a server without any."""
        found = self.rounds.get(server)
        return statistics.median(getattr(each, figure) for each in found) if found else None

    def failed(self, server: str, figure: str) -> tuple[int, int]:
        """Over all rounds, how many of the requests behind a figure failed, and how many there were."""
        found = self.rounds.get(server, [])
        return sum(each.failed[figure] for each in found), sum(each.sent[figure] for each in found)

    def limit(self, figure: str) -> float | None:
        """The median of ONNX Runtime alone."""
        return statistics.median(getattr(each, figure) for each in self.limits) if self.limits else None

    def save(self, file: Path) -> None:
        """Write all of it, whole or not at all."""
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")
        unfinished.replace(file)

    @classmethod
    def load(cls, file: Path) -> Self:
        """What `save` wrote; nothing measured where there is no such file."""
        if not file.is_file():
            return cls()
        document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        try:
            document["rounds"] = {name: [Round(**each) for each in found] for name, found in document["rounds"].items()}
            document["limits"] = [Limit(**each) for each in document["limits"]]
            return cls(**document)
        except (TypeError, KeyError):  # another version of the bench measured something else
            return cls()
