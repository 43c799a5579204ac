"""CloudWatch: endpoint metrics, percentiles, metric math, DescribeAlarmHistory; alarms are watched elsewhere."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, cast

from moto.cloudwatch import models
from moto.cloudwatch.models import MetricDatum, Statistics
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.common_models import CloudWatchMetricProvider
from moto.core.responses import ActionResult

from rehearsal.aws.cloudwatch.expressions import ExpressionError, evaluate
from rehearsal.aws.cloudwatch.history import history
from rehearsal.aws.cloudwatch.samples import published
from rehearsal.aws.cloudwatch.statistics import percentile
from rehearsal.aws.gaps import replace

NOTES: Final = (
    "Alarms over the metrics of endpoints are evaluated and tell their SNS topics; a period of a minute passes in a "
    "second (`--clock-rate 60`, or POST /rehearsal/clock). Only whole periods count. Alarms over other metrics keep "
    "their first state, OK, which on AWS would be INSUFFICIENT_DATA.",
    "Metric math knows + - * / **, comparisons, AND and OR, IF, FILL, ABS, MIN, MAX and SUM, period by period.",
    "Endpoints publish Invocations, Invocation4XXErrors, Invocation5XXErrors, ModelLatency and OverheadLatency by "
    "endpoint and variant, and by their configuration as well; of each the newest 20,000 values are kept.",
    "An alarm that is changed is OK at once, until it is evaluated; on AWS it keeps its state until then.",
)
_plain = Statistics.get_statistics_for_type


class EndpointMetrics(CloudWatchMetricProvider):
    """Gives moto what the endpoints published: it asks every provider for its metrics when it is asked for some."""

    @staticmethod
    def get_cloudwatch_metrics(account_id: str, region: str) -> Any:
        """The samples as moto's data."""
        return [
            MetricDatum(
                namespace=key.namespace,
                name=key.name,
                value=sample.value,
                dimensions=[{"Name": name, "Value": value} for name, value in sorted(key.dimensions)],
                timestamp=datetime.fromtimestamp(sample.at, UTC).replace(tzinfo=None),
                unit="Microseconds" if key.name.endswith("Latency") else "None",
            )
            for key, samples in published.of_region(account_id, region)
            for sample in samples
        ]


def install() -> None:
    """Add the calls, and take over the statistics that moto does not know."""
    replace(Statistics, get_statistics_for_type=_statistic)
    replace(models, parse_expression=_expression)
    replace(CloudWatchResponse, describe_alarm_history=describe_alarm_history)


def describe_alarm_history(self: CloudWatchResponse) -> ActionResult:
    """DescribeAlarmHistory: changes of state, newest first unless asked otherwise."""
    asked = cast("dict[str, Any]", self.params)
    name, kind = asked.get("AlarmName"), asked.get("HistoryItemType") or "StateUpdate"
    begin, end = _naive(asked.get("StartDate")), _naive(asked.get("EndDate"))
    found = [
        change
        for change in history.of(self.current_account, self.region)
        if kind == "StateUpdate"
        and name in (None, change.alarm)
        and (begin is None or _naive(change.at) >= begin)  # pyright: ignore[reportOperatorIssue]
        and (end is None or _naive(change.at) <= end)  # pyright: ignore[reportOperatorIssue]
    ]
    if asked.get("ScanBy") != "TimestampAscending":
        found.reverse()
    limit = int(asked.get("MaxRecords") or 100)
    return ActionResult({"AlarmHistoryItems": [change.item() for change in found[:limit]]})


def _naive(moment: Any) -> Any:
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        return moment
    return moment.astimezone(UTC).replace(tzinfo=None)


def _statistic(self: Statistics, stat: str) -> Any:
    if not stat.startswith("p") or not stat[1:].replace(".", "", 1).isdigit():
        return _plain(self, stat)
    values = self.metric_single_values_list
    return percentile(values, float(stat[1:])) if values else None


def _expression(expression: str, results: Sequence[Mapping[str, Any]]) -> tuple[list[float], list[datetime]]:
    """The expression at each moment that any of the metrics has a value of."""
    moments = sorted({moment for result in results for moment in result["timestamps"]})
    by_id = {str(result["id"]): dict(zip(result["timestamps"], result["values"], strict=True)) for result in results}
    values: list[float] = []
    timestamps: list[datetime] = []
    for moment in moments:
        try:
            value = evaluate(expression, {key: found.get(moment) for key, found in by_id.items()})
        except ExpressionError:
            return [], []
        if value is not None:
            values.append(value)
            timestamps.append(moment)
    return values, timestamps
