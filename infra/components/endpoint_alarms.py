"""When an endpoint counts as unwell, by the limits of the model's specification; and when an update is taken back.

Two sets of the same alarms. One watches the whole endpoint and tells people. The other watches the fleet of the newest
configuration alone (the dimension EndpointConfigName), and SageMaker rolls the update back when one of it trips: over
the whole endpoint, a fleet that is unwell already would roll back the very update that mends it, a revert first of all
(https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html). Their names are fixed,
because the provider replaces an endpoint whose rollback alarms change; what they watch moves on with each release.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from infra.components.alarms import AlarmArgs, Metric, alarm
from infra.names import Names
from infra.platform_outputs import PlatformOutputs
from models.spec import ModelSpec

_NAMESPACE = "AWS/SageMaker"
_FEWEST_INVOCATIONS = 20
"""Below that many in a minute a single error is no rate."""
_SERVER_ERRORS = 5
"""In a minute; fewer may be one client that retried one bad moment."""
_UPDATE = "update"


@dataclass(frozen=True, kw_only=True)
class EndpointAlarmsArgs:
    """The endpoint and its variant; with a configuration, only that fleet of it is watched."""

    spec: ModelSpec
    platform: PlatformOutputs
    variant: str
    configuration: pulumi.Input[str] | None = None


class EndpointAlarms(pulumi.ComponentResource):
    """Server errors, slow answers, rate of errors."""

    names: list[pulumi.Output[str]]

    def __init__(self, name: str, args: EndpointAlarmsArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("drivetrain:model:EndpointAlarms", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.names = [
            alarm(f"{name}-{suffix}", args_of_alarm, child).name
            for suffix, args_of_alarm in endpoint_alarms(args).items()
        ]
        self.register_outputs({"names": self.names})


def rollback_alarm_arns(names: Names, model: str) -> str:
    """The ARNs of a model's rollback alarms, as a policy names them: SageMaker looks at them as the endpoint's role."""
    return f"arn:aws:cloudwatch:{names.region}:{names.account_id}:alarm:{names.endpoint(model)}-{_UPDATE}-*"


def endpoint_alarms(args: EndpointAlarmsArgs) -> dict[str, AlarmArgs]:
    """The alarms by suffix; no data is no traffic, which breaches nothing."""
    spec, platform = args.spec, args.platform
    endpoint = platform.names.endpoint(spec.name)
    name = endpoint if args.configuration is None else f"{endpoint}-{_UPDATE}"
    whose = f"The endpoint {endpoint}" if args.configuration is None else f"The newest fleet of {endpoint}"
    dimensions: dict[str, pulumi.Input[str]] = {"EndpointName": endpoint, "VariantName": args.variant}
    if args.configuration is not None:
        dimensions["EndpointConfigName"] = args.configuration
    return {
        "server-errors": AlarmArgs(
            name=f"{name}-server-errors",
            description=f"{whose} answered {_SERVER_ERRORS} or more requests in a minute with 5xx",
            threshold=_SERVER_ERRORS,
            topic_arn=platform.alarm_topic_arn,
            missing_data="notBreaching",
            metric=_metric("Invocation5XXErrors", dimensions),
        ),
        "latency": AlarmArgs(
            name=f"{name}-latency",
            description=f"{whose} took longer than {spec.monitor.p99_latency_ms:g} ms for one answer in a hundred",
            # ModelLatency counts microseconds.
            threshold=spec.monitor.p99_latency_ms * 1000,
            comparison="GreaterThanThreshold",
            topic_arn=platform.alarm_topic_arn,
            missing_data="notBreaching",
            metric=_metric("ModelLatency", dimensions, "p99"),
            periods=3,
            breaching_periods=2,
        ),
        "error-rate": AlarmArgs(
            name=f"{name}-error-rate",
            description=f"{whose} refused or failed more than {spec.monitor.error_rate:.2%} of the requests",
            threshold=spec.monitor.error_rate,
            comparison="GreaterThanThreshold",
            topic_arn=platform.alarm_topic_arn,
            missing_data="notBreaching",
            # 4xx counts too: a release that no longer understands its callers shows as nothing else.
            metrics={
                "calls": _metric("Invocations", dimensions),
                "refused": _metric("Invocation4XXErrors", dimensions),
                "failed": _metric("Invocation5XXErrors", dimensions),
            },
            expression=f"IF(calls >= {_FEWEST_INVOCATIONS}, (FILL(refused, 0) + FILL(failed, 0)) / calls, 0)",
            periods=3,
            breaching_periods=2,
        ),
    }


def _metric(name: str, dimensions: Mapping[str, pulumi.Input[str]], statistic: str = "Sum") -> Metric:
    return Metric(namespace=_NAMESPACE, name=name, dimensions=dimensions, statistic=statistic)
