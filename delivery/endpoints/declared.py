"""What a stack's state says its endpoints should be, read from Pulumi's own checkpoint.

The configuration is that of the EndpointConfiguration in the state, and not what the endpoint itself was last given: a
refresh after a rollback writes into the state what is live, and what was wanted would be forgotten.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from delivery.errors import DeliveryError

_CONFIGURATION = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
_ENDPOINT = "aws:sagemaker/endpoint:Endpoint"


class StateError(DeliveryError):
    """The state holds something else than a stack of this project."""


@dataclass(frozen=True, kw_only=True)
class DeclaredVariant:
    """One production variant: on instances, or serverless."""

    name: str
    model: str
    weight: float
    instance_type: str = ""
    instances: int = 0
    memory_mb: int = 0
    concurrency: int = 0

    @property
    def serverless(self) -> bool:
        """Whether it runs without instances."""
        return self.memory_mb > 0


@dataclass(frozen=True, kw_only=True)
class DeclaredEndpoint:
    """An endpoint as it should be."""

    name: str
    configuration: str
    variants: tuple[DeclaredVariant, ...]


def resources(state: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The resources in an exported stack or in a checkpoint file; StateError when it is neither."""
    found: Any = state
    for key in ("checkpoint", "latest", "deployment"):
        if hasattr(found, "get") and key in found:
            found = found[key] or {}
    listed: Any = found.get("resources", []) if hasattr(found, "get") else None
    if not isinstance(listed, list):
        raise StateError("the stack's state holds no resources; expected what `pulumi stack export` prints")
    return listed  # pyright: ignore[reportUnknownVariableType]


def declared_endpoints(state: Mapping[str, Any], endpoints: Iterable[str]) -> dict[str, DeclaredEndpoint]:
    """Of the endpoints of those names, the ones that the state holds, by name."""
    wanted = set(endpoints)
    found = [each for each in resources(state) if not each.get("delete")]
    configurations = {each["parent"]: each for each in found if each["type"] == _CONFIGURATION and "parent" in each}
    declared: dict[str, DeclaredEndpoint] = {}
    for each in found:
        name = str(each.get("inputs", {}).get("name", ""))
        if each["type"] != _ENDPOINT or name not in wanted:
            continue
        configuration = configurations.get(each.get("parent"))
        if configuration is None:
            raise StateError(f"the state holds the endpoint {name} without its configuration; deploy again")
        declared[name] = _endpoint(name, configuration)
    return declared


def _endpoint(name: str, configuration: Mapping[str, Any]) -> DeclaredEndpoint:
    outputs: Mapping[str, Any] = configuration.get("outputs") or {}
    variants: list[Mapping[str, Any]] = outputs.get("productionVariants") or []
    return DeclaredEndpoint(
        name=name,
        configuration=str(outputs.get("name") or configuration.get("id", "")),
        variants=tuple(_variant(variant) for variant in variants),
    )


def _variant(variant: Mapping[str, Any]) -> DeclaredVariant:
    serverless: Mapping[str, Any] = variant.get("serverlessConfig") or {}
    weight = variant.get("initialVariantWeight")
    return DeclaredVariant(
        name=str(variant.get("variantName", "")),
        model=str(variant.get("modelName", "")),
        weight=1.0 if weight is None else float(weight),
        instance_type=str(variant.get("instanceType") or ""),
        instances=int(variant.get("initialInstanceCount") or 0),
        memory_mb=int(serverless.get("memorySizeInMb") or 0),
        concurrency=int(serverless.get("maxConcurrency") or 0),
    )
