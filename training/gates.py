"""The conditions a model meets before it is registered, judged one by one. A failed gate is a result, not an error."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from models.schema import Gate
from training.metrics import improvement


@dataclass(frozen=True)
class GateResult:
    """One rule of one gate: the limit, the value found (None where there is nothing to compare with), the verdict."""

    metric: str
    rule: str
    limit: float
    value: float | None
    passed: bool

    @property
    def reason(self) -> str:
        """One line that says what was asked for and what was found."""
        found = "nothing to compare with" if self.value is None else f"{self.value:.4g}"
        return f"{self.metric} {self.rule} {self.limit:g}: {'passed' if self.passed else 'failed'} with {found}"


def judge(
    gates: Iterable[Gate],
    metrics: Mapping[str, float],
    baseline: Mapping[str, float],
    released: Mapping[str, float] | None,
) -> list[GateResult]:
    """Every rule of every gate. A comparison with the released model passes while there is none."""
    results: list[GateResult] = []
    for gate in gates:
        value = metrics[gate.metric]
        if gate.maximum is not None:
            results.append(GateResult(gate.metric, "maximum", gate.maximum, value, value <= gate.maximum))
        if gate.minimum is not None:
            results.append(GateResult(gate.metric, "minimum", gate.minimum, value, value >= gate.minimum))
        for rule, limit, reference in (
            ("better_than_baseline_by", gate.better_than_baseline_by, baseline),
            ("better_than_released_by", gate.better_than_released_by, released),
        ):
            if limit is None:
                continue
            gain = None if reference is None else improvement(gate.metric, value, reference[gate.metric])
            results.append(GateResult(gate.metric, rule, limit, gain, gain is None or gain >= limit))
    return results


def reasons(results: Iterable[GateResult]) -> str:
    """The failed rules, one after the other; says so when there are none."""
    failed = [result.reason for result in results if not result.passed]
    return "; ".join(failed) if failed else "every gate passed"
