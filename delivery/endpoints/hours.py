"""Endpoints that stop while nobody works: outside production an instance that waits the night through is waste.

SageMaker scales an endpoint of instances to none only where it hosts inference components
(https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-zero-instances.html), so ours is deleted when the
hours end and made again, from the configuration that the stack's state holds, when they begin (docs/adr/0008).
"""

import datetime
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast
from zoneinfo import ZoneInfo

from delivery.endpoints.declared import declared_endpoints, resources
from delivery.endpoints.live import find_endpoint, settled_endpoint
from infra.settings import HoursSettings

Client = Callable[[str], Any]
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ENDPOINT = "aws:sagemaker/endpoint:Endpoint"
_TARGET = "aws:appautoscaling/target:Target"
_POLICY = "aws:appautoscaling/policy:Policy"
STOPPED_TYPES = frozenset({_ENDPOINT, _TARGET, _POLICY})
"""What is not there while the endpoints are stopped."""
_BUSY = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})


@dataclass(frozen=True, kw_only=True)
class Moved:
    """What was started or stopped, and what is busy and so was left for the next time."""

    moved: tuple[str, ...]
    busy: tuple[str, ...] = ()


def is_open(hours: HoursSettings, moment: datetime.datetime) -> bool:
    """Whether `moment`, which knows its time zone, is within the hours."""
    there = moment.astimezone(ZoneInfo(hours.timezone))
    return DAYS[there.weekday()] in hours.days and hours.opens <= f"{there:%H:%M}" < hours.closes


def close(client: Client, endpoints: Iterable[str], changed_before: datetime.datetime) -> Moved:
    """Delete the endpoints of these names, which stops their instances; configurations and models stay.

    One that was changed since `changed_before` is left: a deployment may be about to try it out.
    """
    sagemaker = client("sagemaker")
    moved: list[str] = []
    busy: list[str] = []
    for name in endpoints:
        live = find_endpoint(sagemaker, name)
        if live is None:
            continue
        if live.status in _BUSY or live.modified > changed_before:
            busy.append(name)
            continue
        _forget_scaling(client("application-autoscaling"), name, [variant.name for variant in live.variants])
        sagemaker.delete_endpoint(EndpointName=name)
        moved.append(name)
    return Moved(moved=tuple(moved), busy=tuple(busy))


def reopen(client: Client, endpoints: Iterable[str], state: Mapping[str, Any], wait_s: float) -> Moved:
    """Make those endpoints again that the stack's state holds and SageMaker does not, as they were; wait for each."""
    sagemaker = client("sagemaker")
    held = {str(each.get("inputs", {}).get("name")): each for each in resources(state) if each["type"] == _ENDPOINT}
    missing = [
        (name, declared.configuration)
        for name, declared in declared_endpoints(state, endpoints).items()
        if find_endpoint(sagemaker, name) is None
    ]
    for name, configuration in missing:
        tags: Mapping[str, str] = held[name].get("inputs", {}).get("tagsAll") or {}
        sagemaker.create_endpoint(
            EndpointName=name,
            EndpointConfigName=configuration,
            Tags=[{"Key": key, "Value": value} for key, value in sorted(tags.items())],
        )
    for name, _ in missing:
        settled_endpoint(sagemaker, name, wait_s)
        _scale_again(client("application-autoscaling"), name, state)
    return Moved(moved=tuple(name for name, _ in missing))


def _forget_scaling(autoscaling: Any, name: str, variants: Iterable[str]) -> None:
    places = [f"endpoint/{name}/variant/{variant}" for variant in variants]
    found = autoscaling.describe_scalable_targets(ServiceNamespace="sagemaker", ResourceIds=places)
    for target in found["ScalableTargets"]:
        autoscaling.deregister_scalable_target(
            ServiceNamespace="sagemaker",
            ResourceId=target["ResourceId"],
            ScalableDimension=target["ScalableDimension"],
        )


def _scale_again(autoscaling: Any, name: str, state: Mapping[str, Any]) -> None:
    ours = [
        each
        for each in resources(state)
        if str(each.get("inputs", {}).get("resourceId", "")).startswith(f"endpoint/{name}/variant/")
    ]
    for each in ours:
        if each["type"] == _TARGET:
            autoscaling.register_scalable_target(**_request(each["inputs"], _TARGET_FIELDS))
    for each in ours:
        if each["type"] == _POLICY:
            autoscaling.put_scaling_policy(
                PolicyName=each["inputs"]["name"], **_request(each["inputs"], _POLICY_FIELDS)
            )


_PLACE = ("serviceNamespace", "resourceId", "scalableDimension")
_TARGET_FIELDS = (*_PLACE, "minCapacity", "maxCapacity")
_POLICY_FIELDS = (*_PLACE, "policyType", "targetTrackingScalingPolicyConfiguration")


def _request(inputs: Mapping[str, Any], fields: Iterable[str]) -> dict[str, Any]:
    return _pascal({field: inputs[field] for field in fields if field in inputs})


def _pascal(value: Any) -> Any:
    """Pulumi writes `minCapacity` what AWS calls `MinCapacity`."""
    if isinstance(value, dict):
        entries = cast("dict[str, Any]", value)
        return {key[0].upper() + key[1:]: _pascal(entry) for key, entry in entries.items() if not key.startswith("__")}
    return value
