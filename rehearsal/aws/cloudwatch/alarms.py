"""How an alarm is evaluated: M of the last N periods, and what an absence of data means.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html#alarm-evaluation. Only whole
periods are looked at, and as many as the alarm says: AWS also looks a little further back when data is late.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from rehearsal.aws.cloudwatch.expressions import Value, evaluate
from rehearsal.aws.cloudwatch.samples import Sample
from rehearsal.aws.cloudwatch.statistics import statistic

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
_COMPARE: Final[Mapping[str, tuple[Callable[[float, float], bool], str]]] = {
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}


class UnknownAlarmError(ValueError):
    """An alarm of a kind that is not evaluated here."""


@dataclass(frozen=True, kw_only=True)
class MetricQuery:
    """One metric of an alarm with its statistic."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    statistic: str


@dataclass(frozen=True, kw_only=True)
class AlarmRule:
    """What of an alarm decides on its state; without an expression it has exactly one metric."""

    metrics: Mapping[str, MetricQuery]
    expression: str
    period_s: int
    periods: int
    breaching_periods: int
    threshold: float
    comparison: str
    missing: str

    @staticmethod
    def of(alarm: Any) -> "AlarmRule":
        """Read it from moto's record; UnknownAlarmError for a composite alarm or an anomaly detector."""
        if alarm.rule is not None or alarm.threshold is None or alarm.comparison_operator not in _COMPARE:
            raise UnknownAlarmError(f"{alarm.name} is no metric alarm with a threshold")
        queries = [query for query in alarm.metric_data_queries if query.metric_stat is not None]
        expressions = [query.expression for query in alarm.metric_data_queries if query.expression]
        if len(expressions) > 1 or (alarm.metric_data_queries and not expressions):
            raise UnknownAlarmError(f"{alarm.name} has {len(expressions)} expressions; one is evaluated here")
        metrics = {str(query.id): _of_query(query.metric_stat) for query in queries} or {"m": _of_alarm(alarm)}
        return AlarmRule(
            metrics=metrics,
            expression=str(expressions[0]) if expressions else "",
            period_s=int(queries[0].metric_stat.period if queries else alarm.period),
            periods=int(alarm.evaluation_periods),
            breaching_periods=int(alarm.datapoints_to_alarm or alarm.evaluation_periods),
            threshold=float(alarm.threshold),
            comparison=str(alarm.comparison_operator),
            missing=str(alarm.treat_missing_data or "missing"),
        )

    def datapoint(self, samples: Mapping[str, Sequence[Sample]]) -> Value:
        """The value of one period, from each metric's samples in it."""
        values = {
            key: statistic(query.statistic, [sample.value for sample in samples[key]])
            for key, query in self.metrics.items()
        }
        return evaluate(self.expression, values) if self.expression else next(iter(values.values()))

    def state(self, datapoints: Sequence[Value], current: State) -> tuple[State, str]:
        """The state after these datapoints (oldest first) with the reason in CloudWatch's words."""
        compare, words = _COMPARE[self.comparison]
        breaching = [
            compare(value, self.threshold) if value is not None else self.missing == "breaching" for value in datapoints
        ]
        known = [value for value in datapoints if value is not None]
        if not known and self.missing == "ignore":
            return current, ""
        if not known and self.missing == "missing":
            return "INSUFFICIENT_DATA", f"Insufficient Data: {len(datapoints)} datapoints were unknown."
        shown = ", ".join(f"{value:.6g}" for value in known) or f"no datapoint; missing data is {self.missing}"
        count = sum(breaching)
        if count >= self.breaching_periods:
            return "ALARM", (
                f"Threshold Crossed: {count} out of the last {self.periods} datapoints [{shown}] were {words} the "
                f"threshold ({self.threshold:g}) (minimum {self.breaching_periods} datapoints for OK -> ALARM "
                "transition)."
            )
        return "OK", (
            f"Threshold Crossed: {self.periods - count} out of the last {self.periods} datapoints [{shown}] were not "
            f"{words} the threshold ({self.threshold:g})."
        )


def _of_query(stat: Any) -> MetricQuery:
    return MetricQuery(
        namespace=str(stat.metric.namespace),
        name=str(stat.metric.metric_name),
        dimensions={str(entry.name): str(entry.value) for entry in stat.metric.dimensions},
        statistic=str(stat.stat),
    )


def _of_alarm(alarm: Any) -> MetricQuery:
    return MetricQuery(
        namespace=str(alarm.namespace),
        name=str(alarm.metric_name),
        dimensions={str(entry.name): str(entry.value) for entry in alarm.dimensions},
        statistic=str(alarm.statistic or alarm.extended_statistic),
    )
