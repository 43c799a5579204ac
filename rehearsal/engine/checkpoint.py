"""The state of a stack in Pulumi's own words: a checkpoint of version 3, as `pulumi stack export` shows it.

The field names are those of `ResourceV3`, `DeploymentV3` and `CheckpointV3` in `sdk/go/common/apitype/core.go` of
pulumi/pulumi. Secrets are kept in plain text, as `pulumi stack export --show-secrets` writes them: a rehearsal has
none worth hiding, and every command but that one shows `[secret]`.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from rehearsal.engine.resource_state import ResourceState
from rehearsal.engine.urn import provider_urn
from rehearsal.provider.wire import SECRET, SIGNATURE

VERSION = 3
PULUMI_VERSION = "v3.260.0"
"""The version whose format and messages are followed."""


def resource_entry(resource: ResourceState) -> dict[str, Any]:
    """`resource` as an entry of `deployment.resources`; what is empty is left out, as Go's `omitempty` does."""
    entry: dict[str, Any] = {
        "urn": resource.urn,
        "custom": resource.custom,
        "delete": resource.pending_delete,
        "id": resource.id,
        "type": resource.type,
        "inputs": _sealed(resource.inputs, resource.secrets),
        "outputs": _sealed(resource.outputs, resource.secrets),
        "parent": resource.parent,
        "protect": resource.protect,
        "external": resource.external,
        "dependencies": list(resource.dependencies),
        "provider": resource.provider,
        "propertyDependencies": {key: list(urns) for key, urns in resource.property_dependencies.items()},
        "retainOnDelete": resource.retain_on_delete,
        "deletedWith": resource.deleted_with,
        "additionalSecretOutputs": list(resource.secrets) if resource.custom else [],
    }
    return {key: value for key, value in entry.items() if value or key in ("urn", "custom", "type")}


def resource_of(entry: Mapping[str, Any]) -> ResourceState:
    """The resource in one entry of `deployment.resources`; raises KeyError for one without URN, type or custom."""
    inputs, hidden_inputs = _opened(entry.get("inputs") or {})
    outputs, hidden_outputs = _opened(entry.get("outputs") or {})
    dependencies = cast("Mapping[str, list[str] | None]", entry.get("propertyDependencies") or {})
    return ResourceState(
        urn=entry["urn"],
        type=entry["type"],
        custom=entry["custom"],
        id=entry.get("id", ""),
        parent=entry.get("parent", ""),
        provider=entry.get("provider", ""),
        inputs=inputs,
        outputs=outputs,
        dependencies=tuple(entry.get("dependencies") or ()),
        property_dependencies={key: tuple(urns or ()) for key, urns in dependencies.items()},
        protect=entry.get("protect", False),
        retain_on_delete=entry.get("retainOnDelete", False),
        deleted_with=entry.get("deletedWith", ""),
        pending_delete=entry.get("delete", False),
        external=entry.get("external", False),
        secrets=tuple(sorted({*hidden_inputs, *hidden_outputs, *(entry.get("additionalSecretOutputs") or ())})),
    )


def deployment_of(
    resources: Sequence[ResourceState], time: str, secrets_providers: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """A `DeploymentV3`; `time` is when it was last changed."""
    magic = hashlib.sha256(PULUMI_VERSION.encode()).hexdigest()
    return {
        "manifest": {"time": time, "magic": magic, "version": PULUMI_VERSION},
        **({"secrets_providers": dict(secrets_providers)} if secrets_providers else {}),
        "resources": [resource_entry(resource) for resource in in_order(resources)],
        "metadata": {},
    }


def in_order(resources: Sequence[ResourceState]) -> list[ResourceState]:
    """`resources` with each after all that it needs, as Pulumi's integrity check asks; otherwise as they were."""
    by_urn: dict[str, list[ResourceState]] = {}
    for resource in resources:
        by_urn.setdefault(resource.urn, []).append(resource)
    placed: dict[str, ResourceState] = {}
    waiting = list(reversed(resources))
    seen: set[str] = set()
    while waiting:
        resource = waiting[-1]
        missing = [need for urn in needs(resource) for need in by_urn.get(urn, ()) if need.key not in placed]
        if missing and resource.key not in seen and resource.key not in placed:
            seen.add(resource.key)
            waiting += missing
            continue
        placed.setdefault(waiting.pop().key, resource)
    return list(placed.values())


def needs(resource: ResourceState) -> list[str]:
    """The URNs that must exist as long as `resource` does."""
    found = [resource.parent, resource.deleted_with, *resource.dependencies]
    if resource.provider:
        found.append(provider_urn(resource.provider))
    return sorted({urn for urn in found if urn and urn != resource.urn})


def resources_in(deployment: Mapping[str, Any]) -> list[ResourceState]:
    """The resources of a `DeploymentV3`; raises KeyError or TypeError for what is none."""
    return [resource_of(entry) for entry in deployment.get("resources") or ()]


def _sealed(properties: Mapping[str, Any], secrets: Iterable[str]) -> dict[str, Any]:
    hidden = set(secrets)
    return {
        key: {SIGNATURE: SECRET, "plaintext": json.dumps(value)} if key in hidden else value
        for key, value in properties.items()
    }


def _opened(properties: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    hidden = [
        key
        for key, value in properties.items()
        if isinstance(value, dict) and cast("dict[str, Any]", value).get(SIGNATURE) == SECRET
    ]
    if any("plaintext" not in properties[key] for key in hidden):
        raise ValueError("it holds encrypted secrets, for which the rehearsal has no key")
    opened = {key: json.loads(value["plaintext"]) if key in hidden else value for key, value in properties.items()}
    return opened, hidden
