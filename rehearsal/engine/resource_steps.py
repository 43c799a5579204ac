"""The step one custom resource needs: same, create, update, replace or read; previewed or really taken.

Replacement makes the new one first and leaves the old one for the end of the deployment, unless the type, the program
or a fixed name says to delete first; then whatever was built on the old one and must be replaced with it goes first.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.engine.deletion import delete_one
from rehearsal.engine.goal import Goal
from rehearsal.engine.ignored import ignoring
from rehearsal.engine.providers import ConfiguredProvider, ProviderTable
from rehearsal.engine.resource_state import ResourceState
from rehearsal.engine.results import Inspect, Operation, PolicyViolationError, Progress, ProtectedError, Step
from rehearsal.engine.state import StackStore
from rehearsal.provider import lifecycle
from rehearsal.provider.detail import detailed
from rehearsal.provider.handler import Properties, ResourceHandler
from rehearsal.provider.lifecycle import Difference, ResourceGoneError
from rehearsal.provider.registry import handler_of, handlers


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A step and what the program sees of it; in a preview the id of a resource not yet made is empty."""

    step: Step
    id: str
    outputs: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class ResourceSteps:
    """Decides on the step of one resource and takes it."""

    store: StackStore
    providers: ProviderTable
    preview: bool
    progress: Progress
    inspect: Inspect | None = None

    def take(self, goal: Goal, old: ResourceState | None) -> Taken:
        """Bring `goal` about; raises what AWS, the handler or protection say."""
        case = _Case(goal=goal, handler=handler_of(goal.type), provider=self.providers.of(goal.provider))
        if old is None and goal.import_id:
            return self._import(case)
        inputs = case.checked(old)
        self._refuse_violation(_state(goal, old.id if old else "", inputs, {}))
        if old is None:
            return self._create(case, inputs, Difference())
        difference = lifecycle.diff(
            case.handler, old_inputs=old.inputs, new_inputs=inputs, replace_on_changes=goal.replace_on_changes
        )
        if not difference.changed:
            return self._keep(goal, old)
        if not difference.replaces:
            return self._update(case, old, inputs, difference)
        return self._replace(case, old, difference)

    def read(self, goal: Goal, resource_id: str) -> Taken:
        """Look up a resource the stack does not own (`Resource.get`)."""
        handler = handler_of(goal.type)
        outputs = lifecycle.read(handler, self.providers.of(goal.provider).clients, resource_id, goal.inputs)
        if outputs is None:
            raise ResourceGoneError(f"AWS knows no {goal.type} with the id {resource_id}")
        state = self._kept(dataclasses.replace(_state(goal, resource_id, goal.inputs, outputs), external=True))
        return Taken(step=_step("read", goal, new=state), id=resource_id, outputs=outputs)

    def read_stack(self, goal: Goal, reference: str, other: StackStore) -> Taken:
        """The outputs of another stack, as a StackReference gives them."""
        hidden = sorted(other.root.secrets) if other.root else []
        outputs = {"name": reference, "outputs": other.outputs, "secretOutputNames": hidden}
        state = _state(goal, reference, {"name": reference}, outputs)
        secrets = ("outputs",) if hidden else ()
        kept = self._kept(dataclasses.replace(state, external=True, secrets=secrets))
        return Taken(step=_step("read", goal, new=kept), id=reference, outputs=outputs)

    def _refuse_violation(self, state: ResourceState) -> None:
        against = self.inspect(state) if self.inspect is not None and not self.preview else ""
        if against:
            raise PolicyViolationError(against)

    def _kept(self, state: ResourceState) -> ResourceState:
        if not self.preview and self.store.get(state.urn) != state:
            self.store.put(state)
        return state

    def _keep(self, goal: Goal, old: ResourceState) -> Taken:
        state = self._kept(_state(goal, old.id, old.inputs, old.outputs))
        return Taken(step=_step("same", goal, old=old, new=state), id=old.id, outputs=old.outputs)

    def _create(
        self, case: "_Case", inputs: Properties, difference: Difference, *, replaced: ResourceState | None = None
    ) -> Taken:
        operation: Operation = "replace" if difference.replaces else "create"
        if self.preview:
            known = {key: value for key, value in inputs.items() if not key.startswith("__")}
            new = _state(case.goal, "", inputs, known)
            return Taken(step=_step(operation, case.goal, difference, old=replaced, new=new), id="", outputs=known)
        created = lifecycle.create(case.handler, case.provider.clients, inputs)
        if replaced is not None and self.store.get(replaced.urn) is not None:
            self.store.put(dataclasses.replace(replaced, pending_delete=True))
        new = _state(case.goal, created.id, inputs, created.outputs)
        self.store.put(new)
        step = _step(operation, case.goal, difference, old=replaced, new=new)
        return Taken(step=step, id=created.id, outputs=created.outputs)

    def _update(self, case: "_Case", old: ResourceState, inputs: Properties, difference: Difference) -> Taken:
        if self.preview:
            outputs = lifecycle.previewed_outputs(old.outputs, inputs)
        else:
            outputs = lifecycle.update(case.handler, case.provider.clients, old.id, old.inputs, inputs)
        new = self._kept(_state(case.goal, old.id, inputs, outputs))
        step = _step("update", case.goal, difference, old=old, new=new)
        return Taken(step=step, id=old.id, outputs=outputs)

    def _replace(self, case: "_Case", old: ResourceState, difference: Difference) -> Taken:
        if old.protect:
            raise ProtectedError([old.urn])
        inputs = case.checked(None)
        delete_first = case.goal.delete_before_replace
        if delete_first is None:
            delete_first = difference.delete_before_replace
        if self.preview or not delete_first:
            return self._create(case, inputs, difference, replaced=old)
        self._delete_with_dependents(old)
        return self._create(case, inputs, difference, replaced=old)

    def _delete_with_dependents(self, old: ResourceState) -> None:
        for dependent in self._must_follow(old):
            if dependent.protect:
                raise ProtectedError([dependent.urn])
            self._delete_with_dependents(dependent)
        delete_one(old, self.store, self.providers, self.progress)

    def _must_follow(self, old: ResourceState) -> list[ResourceState]:
        return [
            resource
            for resource in self.store.resources.values()
            if not resource.pending_delete
            and resource.type in handlers()
            and any(
                old.urn in urns and key in handlers()[resource.type].replace_on
                for key, urns in resource.property_dependencies.items()
            )
        ]

    def _import(self, case: "_Case") -> Taken:
        goal, inputs = case.goal, case.checked(None)
        outputs = lifecycle.read(case.handler, case.provider.clients, goal.import_id, inputs)
        if outputs is None:
            raise ResourceGoneError(f"AWS knows no {goal.type} with the id {goal.import_id} to import")
        state = self._kept(_state(goal, goal.import_id, inputs, outputs))
        return Taken(step=_step("import", goal, new=state), id=goal.import_id, outputs=outputs)


@dataclass(frozen=True, kw_only=True)
class _Case:
    goal: Goal
    handler: ResourceHandler
    provider: ConfiguredProvider

    def checked(self, old: ResourceState | None) -> Properties:
        return lifecycle.check(
            self.handler,
            logical_name=self.goal.name,
            old_inputs=old.inputs if old else None,
            new_inputs=ignoring(self.goal.inputs, old.inputs if old else None, self.goal.ignore_changes),
            default_tags=self.provider.configuration.default_tags,
        )


def _step(
    operation: Operation,
    goal: Goal,
    difference: Difference | None = None,
    *,
    old: ResourceState | None = None,
    new: ResourceState | None = None,
) -> Step:
    difference = difference or Difference()
    kinds = detailed(difference, old.inputs if old else {}, new.inputs if new else {})
    return Step(
        operation=operation,
        urn=goal.urn,
        type=goal.type,
        changed=difference.changed,
        replaces=difference.replaces,
        old=old,
        new=new,
        detail=kinds,
    )


def _state(goal: Goal, resource_id: str, inputs: Properties, outputs: Properties) -> ResourceState:
    return ResourceState(
        urn=goal.urn,
        type=goal.type,
        custom=True,
        id=resource_id,
        parent=goal.parent,
        provider=goal.provider,
        inputs=inputs,
        outputs=outputs,
        dependencies=goal.dependencies,
        property_dependencies=goal.property_dependencies,
        protect=goal.protect,
        retain_on_delete=goal.retain_on_delete,
        deleted_with=goal.deleted_with,
        secrets=goal.secrets,
    )
