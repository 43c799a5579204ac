"""Reading every resource back from AWS into the state."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from rehearsal.engine.deletion import WORKERS, is_real
from rehearsal.engine.providers import ProviderTable
from rehearsal.engine.resource_state import ResourceState
from rehearsal.engine.results import Step
from rehearsal.engine.state import StackStore
from rehearsal.provider import lifecycle
from rehearsal.provider.detail import detailed
from rehearsal.provider.handler import Properties
from rehearsal.provider.lifecycle import Difference
from rehearsal.provider.registry import handler_of


def refresh_all(store: StackStore, providers: ProviderTable) -> tuple[Step, ...]:
    """Bring the state to what AWS holds: step `delete` for what is gone, `update` for what drifted, else `same`."""
    resources = [resource for resource in store.resources.values() if is_real(resource)]
    with ThreadPoolExecutor(max_workers=WORKERS, thread_name_prefix="refresh") as pool:
        found = list(pool.map(partial(_read, providers=providers), resources))
    return tuple(_taken(store, resource, outputs) for resource, outputs in zip(resources, found, strict=True))


def _read(resource: ResourceState, providers: ProviderTable) -> Properties | None:
    aws = providers.of(resource.provider).clients
    return lifecycle.read(handler_of(resource.type), aws, resource.id, resource.outputs)


def _taken(store: StackStore, resource: ResourceState, outputs: Properties | None) -> Step:
    if outputs is None:
        store.drop(resource.key)
        return Step(operation="delete", urn=resource.urn, type=resource.type, old=resource)
    if outputs == resource.outputs:
        return Step(operation="same", urn=resource.urn, type=resource.type, old=resource, new=resource)
    inputs = lifecycle.drifted_inputs(resource.inputs, resource.outputs, outputs)
    now = dataclasses.replace(resource, inputs=inputs, outputs=outputs)
    store.put(now)
    changed = tuple(sorted(k for k in {*inputs, *resource.inputs} if inputs.get(k) != resource.inputs.get(k)))
    return Step(
        operation="update" if changed else "same",
        urn=resource.urn,
        type=resource.type,
        changed=changed,
        old=resource,
        new=now,
        detail=detailed(Difference(changed=changed), resource.inputs, inputs),
    )
