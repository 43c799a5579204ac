"""What the server counts, in Prometheus' text format."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Metrics:
    """Counters of one process. They are touched from the event loop only, so they need no lock."""

    answers: Counter[int] = field(default_factory=Counter[int])
    """Answers to /invocations by HTTP status."""
    refusals: Counter[str] = field(default_factory=Counter[str])
    """Refused requests by error code."""
    rows: int = 0
    """Rows predicted."""
    seconds: float = 0.0
    """Time spent on decoding, validating, predicting and encoding."""

    def answered(self, rows: int, seconds: float) -> None:
        """Count a request that got its predictions."""
        self.answers[200] += 1
        self.rows += rows
        self.seconds += seconds

    def refused(self, status: int, code: str) -> None:
        """Count a request that got an error."""
        self.answers[status] += 1
        self.refusals[code] += 1

    def text(self, model: str, release: str) -> str:
        """All counters, labelled with the model and its release."""
        labels = f'model="{_escaped(model)}",release="{_escaped(release)}"'
        lines = ["# TYPE serving_requests_total counter"]
        lines += [
            f'serving_requests_total{{{labels},status="{status}"}} {count}'
            for status, count in sorted(self.answers.items())
        ]
        lines += ["# TYPE serving_refusals_total counter"]
        lines += [
            f'serving_refusals_total{{{labels},reason="{code}"}} {count}'
            for code, count in sorted(self.refusals.items())
        ]
        lines += ["# TYPE serving_rows_total counter", f"serving_rows_total{{{labels}}} {self.rows}"]
        lines += [
            "# TYPE serving_prediction_seconds_total counter",
            f"serving_prediction_seconds_total{{{labels}}} {self.seconds:.6f}",
        ]
        return "\n".join(lines) + "\n"


def _escaped(label: str) -> str:
    return label.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
