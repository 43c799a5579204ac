"""M of N periods, and what an absence of data means."""

from types import SimpleNamespace
from typing import Any

import pytest

from rehearsal.aws.cloudwatch.alarms import AlarmRule, UnknownAlarmError
from rehearsal.aws.cloudwatch.samples import Sample


def record(**more: Any) -> Any:
    """An alarm as moto keeps it."""
    plain: dict[str, Any] = {
        "name": "slow",
        "rule": None,
        "namespace": "AWS/SageMaker",
        "metric_name": "ModelLatency",
        "dimensions": [SimpleNamespace(name="EndpointName", value="cars")],
        "metric_data_queries": [],
        "statistic": None,
        "extended_statistic": "p99",
        "period": 60,
        "evaluation_periods": 3,
        "datapoints_to_alarm": 2,
        "threshold": 200.0,
        "comparison_operator": "GreaterThanThreshold",
        "treat_missing_data": "notBreaching",
    }
    return SimpleNamespace(**{**plain, **more})


@pytest.mark.parametrize(
    ("datapoints", "missing", "state"),
    [
        ([100, 300, 300], "notBreaching", "ALARM"),
        ([300, 100, 300], "notBreaching", "ALARM"),
        ([100, 200, 300], "notBreaching", "OK"),
        ([None, None, 300], "notBreaching", "OK"),
        ([None, None, 100], "breaching", "ALARM"),
        ([None, None, None], "notBreaching", "OK"),
        ([None, None, None], "breaching", "ALARM"),
        ([None, None, None], "missing", "INSUFFICIENT_DATA"),
        ([None, None, None], "ignore", "ALARM"),
    ],
)
def test_the_state_after_three_periods(datapoints: list[float | None], missing: str, state: str) -> None:
    assert AlarmRule.of(record(treat_missing_data=missing)).state(datapoints, "ALARM")[0] == state


def test_the_reason_is_in_cloudwatchs_words() -> None:
    _, reason = AlarmRule.of(record()).state([100, 300, 301], "OK")
    assert reason == (
        "Threshold Crossed: 2 out of the last 3 datapoints [100, 300, 301] were greater than the threshold (200) "
        "(minimum 2 datapoints for OK -> ALARM transition)."
    )


def test_without_datapoints_to_alarm_every_period_has_to_breach() -> None:
    rule = AlarmRule.of(record(datapoints_to_alarm=None, comparison_operator="LessThanThreshold"))
    assert rule.state([1, 2, 3], "OK")[0] == "ALARM"
    assert rule.state([1, 2, 300], "ALARM")[0] == "OK"


def test_an_alarm_on_an_expression_has_a_datapoint_of_its_metrics() -> None:
    def query(key: str, name: str) -> Any:
        metric = SimpleNamespace(namespace="AWS/SageMaker", metric_name=name, dimensions=[])
        return SimpleNamespace(
            id=key, expression=None, metric_stat=SimpleNamespace(metric=metric, stat="Sum", period=60)
        )

    result = SimpleNamespace(id="rate", expression="failed / calls", metric_stat=None)
    rule = AlarmRule.of(record(metric_data_queries=[query("calls", "Invocations"), query("failed", "Errors"), result]))
    assert rule.datapoint({"calls": [Sample(0, 1), Sample(0, 1)], "failed": [Sample(0, 1)]}) == 0.5
    assert rule.datapoint({"calls": [], "failed": []}) is None


@pytest.mark.parametrize("more", [{"rule": "ALARM(a)"}, {"threshold": None}, {"comparison_operator": "Odd"}])
def test_other_kinds_of_alarms_are_not_evaluated(more: dict[str, Any]) -> None:
    with pytest.raises(UnknownAlarmError, match="slow is no metric alarm with a threshold"):
        AlarmRule.of(record(**more))
