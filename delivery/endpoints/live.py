"""What SageMaker says is live: the endpoint, its configuration, and the model behind every variant."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

MOVING = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})
_NOT_THERE = "Could not find"
_POLL_S = 1.0


@dataclass(frozen=True, kw_only=True)
class LiveVariant:
    """One production variant with the container that answers for it."""

    name: str
    weight: float
    instance_type: str = ""
    instances: int = 0
    """As many as are wanted now: autoscaling may have changed the number since."""
    memory_mb: int = 0
    concurrency: int = 0
    model: str = ""
    image: str = ""
    images: tuple[str, ...] = ()
    """What the image was resolved to when it was deployed, by digest."""
    artefact: str = ""
    environment: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, kw_only=True)
class LiveEndpoint:
    """An endpoint as it answers now."""

    name: str
    status: str
    configuration: str
    reason: str
    """SageMaker's FailureReason; empty after a rollback that an alarm caused."""
    variants: tuple[LiveVariant, ...]
    alarms: tuple[str, ...]
    """The alarms that roll an update back."""
    modified: datetime


def find_endpoint(sagemaker: Any, name: str) -> LiveEndpoint | None:
    """The endpoint, or None when there is none of that name."""
    answer = _described(sagemaker, "describe_endpoint", EndpointName=name)
    if answer is None:
        return None
    configuration = str(answer.get("EndpointConfigName", ""))
    declared = _described(sagemaker, "describe_endpoint_config", EndpointConfigName=configuration) or {}
    by_name = {entry["VariantName"]: entry for entry in declared.get("ProductionVariants", [])}
    rollback = answer.get("LastDeploymentConfig", {}).get("AutoRollbackConfiguration", {})
    return LiveEndpoint(
        name=name,
        status=str(answer["EndpointStatus"]),
        configuration=configuration,
        reason=str(answer.get("FailureReason", "")),
        variants=tuple(
            _variant(sagemaker, summary, by_name.get(summary["VariantName"], {}))
            for summary in answer.get("ProductionVariants", [])
        ),
        alarms=tuple(str(alarm["AlarmName"]) for alarm in rollback.get("Alarms", [])),
        modified=answer["LastModifiedTime"],
    )


def settled_endpoint(sagemaker: Any, name: str, limit_s: float) -> LiveEndpoint | None:
    """The endpoint once nothing moves any more, or as it is after `limit_s`."""
    deadline = time.monotonic() + limit_s
    while True:
        answer = _described(sagemaker, "describe_endpoint", EndpointName=name)
        if answer is None or answer["EndpointStatus"] not in MOVING or time.monotonic() > deadline:
            return find_endpoint(sagemaker, name)
        time.sleep(_POLL_S)


def configured_at(sagemaker: Any, configuration: str) -> datetime | None:
    """When an endpoint configuration was made; None when there is none of that name."""
    answer = _described(sagemaker, "describe_endpoint_config", EndpointConfigName=configuration)
    return None if answer is None else answer["CreationTime"]


def _variant(sagemaker: Any, summary: Mapping[str, Any], configured: Mapping[str, Any]) -> LiveVariant:
    name = str(configured.get("ModelName", ""))
    model: Mapping[str, Any] = (_described(sagemaker, "describe_model", ModelName=name) if name else None) or {}
    containers: list[Mapping[str, Any]] = model.get("Containers") or []
    container: Mapping[str, Any] = model.get("PrimaryContainer") or (containers[0] if containers else {})
    serverless: Mapping[str, Any] = summary.get("CurrentServerlessConfig") or configured.get("ServerlessConfig") or {}
    deployed = summary.get("DeployedImages", [])
    return LiveVariant(
        name=str(summary["VariantName"]),
        weight=float(summary.get("CurrentWeight", 1.0)),
        instance_type=str(configured.get("InstanceType", "")),
        instances=int(summary.get("DesiredInstanceCount") or 0),
        memory_mb=int(serverless.get("MemorySizeInMB") or 0),
        concurrency=int(serverless.get("MaxConcurrency") or 0),
        model=name,
        image=str(container.get("Image", "")),
        images=tuple(str(image.get("ResolvedImage") or image.get("SpecifiedImage", "")) for image in deployed),
        artefact=str(container.get("ModelDataUrl", "")),
        environment=dict(container.get("Environment", {})),
    )


def _described(sagemaker: Any, call: str, **request: str) -> dict[str, Any] | None:
    try:
        return getattr(sagemaker, call)(**request)
    except ClientError as error:
        if _NOT_THERE in str(error.response.get("Error", {}).get("Message", "")):
            return None
        raise
