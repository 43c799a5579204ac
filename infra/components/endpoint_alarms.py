"""When an endpoint counts as unwell, by the limits of the model's specification.

The same alarms roll an update back: SageMaker watches them while it moves traffic to the new instances.
"""

from dataclasses import dataclass

import pulumi

from infra.components.alarms import AlarmArgs, Metric, alarm
from infra.platform_outputs import PlatformOutputs
from models.spec import ModelSpec

_NAMESPACE = "AWS/SageMaker"
_FEWEST_INVOCATIONS = 20
"""Below that many in a minute a single error is no rate."""
_SERVER_ERRORS = 5
"""In a minute; fewer may be one client that retried one bad moment."""


@dataclass(frozen=True, kw_only=True)
class EndpointAlarmsArgs:
    """The endpoint and its variant."""

    spec: ModelSpec
    platform: PlatformOutputs
    variant: str


class EndpointAlarms(pulumi.ComponentResource):
    """Server errors, slow answers, rate of errors."""

    names: list[pulumi.Output[str]]

    def __init__(self, name: str, args: EndpointAlarmsArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("drivetrain:model:EndpointAlarms", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.names = [
            alarm(f"{name}-{suffix}", args_of_alarm, child).name
            for suffix, args_of_alarm in endpoint_alarms(args.spec, args.platform, args.variant).items()
        ]
        self.register_outputs({"names": self.names})


def endpoint_alarms(spec: ModelSpec, platform: PlatformOutputs, variant: str) -> dict[str, AlarmArgs]:
    """The alarms by suffix; no data is no traffic, which breaches nothing."""
    endpoint = platform.names.endpoint(spec.name)

    def metric(name: str, statistic: str = "Sum") -> Metric:
        dimensions = {"EndpointName": endpoint, "VariantName": variant}
        return Metric(namespace=_NAMESPACE, name=name, dimensions=dimensions, statistic=statistic)

    return {
        "server-errors": AlarmArgs(
            name=f"{endpoint}-server-errors",
            description=f"The endpoint {endpoint} answered {_SERVER_ERRORS} or more requests in a minute with 5xx",
            threshold=_SERVER_ERRORS,
            topic_arn=platform.alarm_topic_arn,
            missing_data="notBreaching",
            metric=metric("Invocation5XXErrors"),
        ),
        "latency": AlarmArgs(
            name=f"{endpoint}-latency",
            description=f"One in a hundred answers of {endpoint} took longer than {spec.monitor.p99_latency_ms:g} ms",
            # ModelLatency counts microseconds.
            threshold=spec.monitor.p99_latency_ms * 1000,
            comparison="GreaterThanThreshold",
            topic_arn=platform.alarm_topic_arn,
            missing_data="notBreaching",
            metric=metric("ModelLatency", "p99"),
            periods=3,
            breaching_periods=2,
        ),
        "error-rate": AlarmArgs(
            name=f"{endpoint}-error-rate",
            description=f"More than {spec.monitor.error_rate:.2%} of the requests to {endpoint} failed",
            threshold=spec.monitor.error_rate,
            comparison="GreaterThanThreshold",
            topic_arn=platform.alarm_topic_arn,
            missing_data="notBreaching",
            # 4xx counts too: a release that no longer understands its callers shows as nothing else.
            metrics={
                "calls": metric("Invocations"),
                "refused": metric("Invocation4XXErrors"),
                "failed": metric("Invocation5XXErrors"),
            },
            expression=f"IF(calls >= {_FEWEST_INVOCATIONS}, (FILL(refused, 0) + FILL(failed, 0)) / calls, 0)",
            periods=3,
            breaching_periods=2,
        ),
    }
