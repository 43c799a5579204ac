"""One way to declare an alarm: what it watches, and what an absence of data means, are always said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pulumi
import pulumi_aws as aws

MissingData = Literal["notBreaching", "breaching", "ignore", "missing"]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A CloudWatch metric over periods of `period_s` seconds."""

    namespace: str
    name: str
    dimensions: Mapping[str, pulumi.Input[str]]
    statistic: str = "Sum"
    """`Sum`, `Average`, `Maximum`, … or a percentile such as `p99`."""
    period_s: int = 60


@dataclass(frozen=True, kw_only=True)
class AlarmArgs:
    """An alarm on one metric, or on an expression over several (`metrics` by their id, `expression` over the ids)."""

    name: str
    description: str
    threshold: float
    topic_arn: pulumi.Input[str]
    missing_data: MissingData
    metric: Metric | None = None
    metrics: Mapping[str, Metric] = field(default_factory=dict[str, Metric])
    expression: str = ""
    comparison: Literal["GreaterThanThreshold", "GreaterThanOrEqualToThreshold"] = "GreaterThanOrEqualToThreshold"
    periods: int = 1
    breaching_periods: int = 1


def alarm(resource_name: str, args: AlarmArgs, opts: pulumi.ResourceOptions) -> aws.cloudwatch.MetricAlarm:
    """Declare the alarm; it tells the topic when it goes off and when it is over."""
    percentile = args.metric is not None and args.metric.statistic.startswith("p")
    return aws.cloudwatch.MetricAlarm(
        resource_name,
        name=args.name,
        alarm_description=args.description,
        namespace=args.metric.namespace if args.metric else None,
        metric_name=args.metric.name if args.metric else None,
        dimensions=args.metric.dimensions if args.metric else None,
        statistic=args.metric.statistic if args.metric and not percentile else None,
        extended_statistic=args.metric.statistic if args.metric and percentile else None,
        period=args.metric.period_s if args.metric else None,
        metric_queries=_queries(args) if args.expression else None,
        comparison_operator=args.comparison,
        threshold=args.threshold,
        evaluation_periods=args.periods,
        datapoints_to_alarm=args.breaching_periods,
        treat_missing_data=args.missing_data,
        alarm_actions=[args.topic_arn],
        ok_actions=[args.topic_arn],
        opts=opts,
    )


def _queries(args: AlarmArgs) -> Sequence[aws.cloudwatch.MetricAlarmMetricQueryArgs]:
    parts = [
        aws.cloudwatch.MetricAlarmMetricQueryArgs(
            id=key,
            metric=aws.cloudwatch.MetricAlarmMetricQueryMetricArgs(
                namespace=metric.namespace,
                metric_name=metric.name,
                dimensions=metric.dimensions,
                stat=metric.statistic,
                period=metric.period_s,
            ),
        )
        for key, metric in args.metrics.items()
    ]
    result = aws.cloudwatch.MetricAlarmMetricQueryArgs(
        id="result", expression=args.expression, label=args.name, return_data=True
    )
    return [*parts, result]
