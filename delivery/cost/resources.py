"""What of a stack costs by the hour or the month: how many units of which price a resource is.

Instances of an endpoint are counted at its configuration, which every endpoint of ours has for itself; autoscaling
makes a range of their number. A model whose endpoint is declared can also be asked in batches, on a machine that is
paid only while the job runs.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from models.spec import discover

CONFIGURATION = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
SCALING_TARGET = "aws:appautoscaling/target:Target"
PROVIDER = "pulumi:providers:aws"
TOPIC = "aws:sns/topic:Topic"


@dataclass(frozen=True, kw_only=True)
class Declared:
    """One resource as it is declared."""

    urn: str
    type: str
    name: str
    inputs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    parent: str = ""


@dataclass(frozen=True, kw_only=True)
class Units:
    """How many units of a price, at least and at most; None where only AWS will say."""

    key: str
    least: float | None
    most: float | None


@dataclass(frozen=True, kw_only=True)
class Use:
    """What a resource is charged for when it is used: `what` costs `times` the price of `key`."""

    key: str
    what: str
    times: int = 1


@dataclass(frozen=True)
class Resources:
    """All resources of a stack, and the machine of each model, by its name, as its model.toml says."""

    declared: Sequence[Declared]
    machines: Mapping[str, str] = field(default_factory=dict[str, str])

    def region(self) -> str:
        """The region of the stack's provider, empty when no provider says."""
        regions = [each.inputs.get("region") for each in self.declared if each.type == PROVIDER]
        return next((str(region) for region in regions if region), "")

    def units(self, resource: Declared) -> tuple[list[Units], list[str]]:
        """What it is charged for while it exists, and what it is charged for by use."""
        if resource.type == CONFIGURATION:
            return self._variants(resource)
        count = _COUNTED.get(resource.type)
        return (count(resource.inputs), []) if count else ([], [])

    def is_counted(self, type_: str) -> bool:
        """Whether `units` knows the type."""
        return type_ in (CONFIGURATION, TOPIC) or type_ in _COUNTED

    def on_demand(self, resource: Declared) -> list[Use]:
        """What it is charged for by use, as far as that has a price for each."""
        if resource.type == TOPIC:
            return [Use(key="sns.publish", what="messages published")]
        if resource.type != CONFIGURATION:
            return []
        return [*self._transform(resource), *(_ASYNCHRONOUS if resource.inputs.get("asyncInferenceConfig") else ())]

    def _transform(self, configuration: Declared) -> list[Use]:
        """`drivetrain predict --batch` takes the machine of model.toml, also where the endpoint is serverless."""
        variants = _items(configuration.inputs.get("productionVariants"))
        machine = next((variant.get("instanceType") for variant in variants), None)
        machine = machine or self.machines.get(configuration.parent.rsplit("::", 1)[-1])
        return [Use(key=f"sagemaker.transform.{machine}", what="a transform job")] if machine else []

    def _variants(self, configuration: Declared) -> tuple[list[Units], list[str]]:
        units: list[Units] = []
        usage: list[str] = []
        for variant in _items(configuration.inputs.get("productionVariants")):
            if variant.get("serverlessConfig"):
                usage.append("memory and time of each request; nothing while there is none")
                continue
            count = _number(variant.get("initialInstanceCount"))
            least, most = self._scaled(configuration) or (count, count)
            units.append(Units(key=f"sagemaker.hosting.{variant.get('instanceType')}", least=least, most=most))
        return units, usage

    def _scaled(self, configuration: Declared) -> tuple[float | None, float | None] | None:
        for target in self.declared:
            if target.type == SCALING_TARGET and configuration.parent in self._ancestors(target):
                return _number(target.inputs.get("minCapacity")), _number(target.inputs.get("maxCapacity"))
        return None

    def _ancestors(self, resource: Declared) -> Iterable[str]:
        parents = {each.urn: each.parent for each in self.declared}
        parent = resource.parent
        while parent:
            yield parent
            parent = parents.get(parent, "")


def machines_in(models: Path) -> dict[str, str]:
    """The machine of each model of the folder `models`, by its name; raises SpecError."""
    return {spec.name: spec.serving.instance_type for spec in discover(models)}


def _interface_endpoint(inputs: Mapping[str, Any]) -> list[Units]:
    if inputs.get("vpcEndpointType") != "Interface":
        return []
    subnets: Any = inputs.get("subnetIds")
    zones = len(cast("list[Any]", subnets)) if isinstance(subnets, list) else None
    return [Units(key="vpc.interface-endpoint-zone", least=zones, most=zones)]


def _alarm(inputs: Mapping[str, Any]) -> list[Units]:
    metrics = [query for query in _items(inputs.get("metricQueries")) if query.get("metric")]
    count = len(metrics) or 1
    return [Units(key="cloudwatch.alarm-metric", least=count, most=count)]


def _one(key: str) -> Callable[[Mapping[str, Any]], list[Units]]:
    return lambda _: [Units(key=key, least=1, most=1)]


# https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference.html: the caller puts the request and fetches the
# answer, SageMaker fetches the request and puts the answer. Our own client learns that there is one by asking S3 for it
# and for a failure twice a second (delivery/endpoints/asynchronous.py), and S3 charges for "not found" as well.
_ASYNCHRONOUS = (
    Use(key="s3.write", what="asynchronous requests", times=2),
    Use(
        key="s3.read",
        what="asynchronous requests at least: each look for an answer that is not there yet is another read",
        times=2,
    ),
)
_COUNTED: dict[str, Callable[[Mapping[str, Any]], list[Units]]] = {
    "aws:ec2/vpcEndpoint:VpcEndpoint": _interface_endpoint,
    "aws:kms/key:Key": _one("kms.key"),
    "aws:cloudwatch/metricAlarm:MetricAlarm": _alarm,
    "aws:cloudwatch/dashboard:Dashboard": _one("cloudwatch.dashboard"),
    "aws:secretsmanager/secret:Secret": _one("secretsmanager.secret"),
}


def _items(value: Any) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", value) if isinstance(value, list) else []


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
