"""One deployment: each resource the program registers is brought from what the state knows to what is declared.

The program registers from several threads. Whatever a resource needs was registered before it, because its inputs are
the outputs of that; so no order is worked out here, only deletions need one. A failing resource is recorded and its
dependents are skipped; the others are finished, as `pulumi up --continue-on-error` does.
"""

import dataclasses
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.engine.deletion import Deletion, delete_all, message_of, refuse_protected
from rehearsal.engine.goal import Goal, inherited_aliases
from rehearsal.engine.providers import ProviderTable
from rehearsal.engine.resource_state import ResourceState
from rehearsal.engine.resource_steps import ResourceSteps, Taken
from rehearsal.engine.results import EngineError, Event, Inspect, Operation, Progress, Step, StepFailure
from rehearsal.engine.state import StackStore
from rehearsal.engine.urn import STACK_TYPE, type_of
from rehearsal.provider.wire import is_unknown, with_asset_hashes


class DuplicateUrnError(EngineError):
    """Two resources of the program have the same type, parent and name."""


class UnknownStackError(EngineError):
    """A StackReference names a stack that the backend does not have."""


class StoppedError(EngineError):
    """The user asked to stop; nothing new is begun."""


@dataclass(frozen=True, kw_only=True)
class Registered:
    """The answer to a registration; with `ok` false the SDK takes every output for unknown."""

    urn: str
    id: str = ""
    outputs: Mapping[str, Any] = dataclasses.field(default_factory=dict[str, Any])
    ok: bool = True


class Deployment:
    """What the monitor and the callers of the engine share while a program runs. Thread-safe."""

    def __init__(
        self,
        *,
        stack: str,
        project: str,
        folder: Path,
        store: StackStore,
        providers: ProviderTable,
        preview: bool,
        progress: Progress,
        inspect: Inspect | None = None,
    ) -> None:
        self.stack, self.project, self.preview = stack, project, preview
        self.store, self.providers = store, providers
        self._folder, self._progress = folder, progress
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._seen: dict[str, Goal] = {}
        self._aliases: dict[str, tuple[str, ...]] = {}
        self._renames: dict[str, str] = {}
        self._unmade: set[str] = set()
        self._steps_taken: list[Step] = []
        self._failures: list[StepFailure] = []
        self._skipped: list[str] = []
        self.outputs: dict[str, Any] = {}
        self.secret_outputs: tuple[str, ...] = ()
        self._steps = ResourceSteps(
            store=store, providers=providers, preview=preview, progress=progress, inspect=inspect
        )

    def stop(self) -> None:
        """Begin nothing new; what is under way is finished and remembered."""
        self._stopped.set()

    @property
    def steps(self) -> tuple[Step, ...]:
        """What was done, or in a preview would be done, so far, to resources on AWS."""
        return tuple(step for step in self.every_step if step.is_real)

    @property
    def every_step(self) -> tuple[Step, ...]:
        """The same with components and providers."""
        with self._lock:
            return tuple(self._steps_taken)

    @property
    def failures(self) -> tuple[StepFailure, ...]:
        """The resources that failed."""
        with self._lock:
            return tuple(self._failures)

    @property
    def skipped(self) -> tuple[str, ...]:
        """The URNs that were not tried because something they depend on failed."""
        with self._lock:
            return tuple(self._skipped)

    def register(self, goal: Goal) -> Registered:
        """Bring one resource to what is declared; raises DuplicateUrnError, records every other failure."""
        old = self._admit(goal)
        if not goal.custom:
            self._record_component(goal, old)
            return Registered(urn=goal.urn)
        if self._must_skip(goal):
            return Registered(urn=goal.urn, ok=False)
        began = time.monotonic()
        operation: Operation = "update" if old else "create"
        try:
            if goal.is_provider:
                return self._register_provider(goal, old)
            taken = self._steps.take(self._located(goal), old)
        except Exception as error:
            self._record_failure(goal, operation, message_of(error), time.monotonic() - began)
            return Registered(urn=goal.urn, ok=False)
        self._record(taken.step)
        if taken.step.operation not in ("same", "read"):
            self._tell(taken, time.monotonic() - began)
        return Registered(urn=goal.urn, id=taken.id, outputs=taken.outputs)

    def read(self, goal: Goal, resource_id: str) -> Taken:
        """Look up a resource the stack does not own; raises ResourceGoneError."""
        self._admit(goal)
        taken = self._steps.read(goal, resource_id)
        self._record(taken.step)
        return taken

    def read_stack(self, goal: Goal, reference: str) -> Taken:
        """The outputs of another stack of the same backend (`pulumi.StackReference`); raises UnknownStackError."""
        self._admit(goal)
        project, stack = _reference(reference, self.project)
        other = self.store.sibling(project, stack)
        if not other.exists:
            raise UnknownStackError(f"unknown stack {reference!r}: there is none of that name beside {self.stack}")
        taken = self._steps.read_stack(goal, reference, other)
        self._record(taken.step)
        return taken

    def register_outputs(self, urn: str, outputs: Mapping[str, Any], secrets: tuple[str, ...] = ()) -> None:
        """The outputs of a component, or of the stack itself; `secrets` are those that are one."""
        if type_of(urn) == STACK_TYPE:
            self.outputs, self.secret_outputs = dict(outputs), secrets
        known = self.store.get(urn)
        if known is None or self.preview:
            return
        told = dataclasses.replace(known, outputs=dict(outputs), secrets=secrets)
        if told != known:
            self.store.put(told)

    def leftovers(self) -> list[ResourceState]:
        """What the state holds and the program did not register; replaced resources waiting for deletion included."""
        with self._lock:
            seen = {*self._seen, *self._renames}
        return [r for r in self.store.resources.values() if r.pending_delete or r.urn not in seen]

    def delete_leftovers(self) -> Deletion:
        """Delete them in reverse dependency order; raises ProtectedError before any is touched."""
        leftovers = self.leftovers()
        refuse_protected(leftovers)
        return delete_all(leftovers, self.store, self.providers, self._progress)

    def _admit(self, goal: Goal) -> ResourceState | None:
        with self._lock:
            if goal.urn in self._seen:
                raise DuplicateUrnError(f"{goal.urn} is declared twice; give one of them another name")
            self._seen[goal.urn] = goal
            inherited = inherited_aliases(
                goal, self._aliases.get(goal.parent, ()), stack=self.stack, project=self.project
            )
            self._aliases[goal.urn] = (*goal.aliases, *inherited)
            return self.store.get(goal.urn) or self._renamed(goal)

    def _renamed(self, goal: Goal) -> ResourceState | None:
        for alias in self._aliases[goal.urn]:
            known = self.store.get(alias)
            if known is not None and alias not in self._seen:
                renamed = dataclasses.replace(known, urn=goal.urn)
                if not self.preview:
                    self.store.drop(alias)
                    self.store.put(renamed)
                self._renames[alias] = goal.urn
                return renamed
        return None

    def _must_skip(self, goal: Goal) -> bool:
        if self._stopped.is_set():
            raise StoppedError("stopped; run it again to finish")
        with self._lock:
            blocked = not self._unmade.isdisjoint({*goal.dependencies, goal.parent})
            if blocked or (not self.preview and is_unknown(goal.inputs)):
                self._unmade.add(goal.urn)
                self._skipped.append(goal.urn)
                return True
        return False

    def _located(self, goal: Goal) -> Goal:
        return dataclasses.replace(goal, inputs=with_asset_hashes(goal.inputs, self._folder))

    def _record_component(self, goal: Goal, known: ResourceState | None) -> None:
        state = ResourceState(
            urn=goal.urn,
            type=goal.type,
            custom=False,
            parent=goal.parent,
            inputs=goal.inputs,
            outputs=known.outputs if known else {},
            dependencies=goal.dependencies,
            protect=goal.protect,
            secrets=known.secrets if known else (),
        )
        self._record(_unreal_step(known, state))
        if not self.preview and state != known:
            self.store.put(state)

    def _register_provider(self, goal: Goal, old: ResourceState | None) -> Registered:
        identifier = old.id if old and old.id else str(uuid.uuid4())
        configured = self.providers.configure(goal.urn, goal.inputs)
        before = old.inputs.get("region") if old else None
        if before and before != configured.configuration.region:
            raise EngineError(f"the region changes from {before} to {configured.configuration.region}: destroy first")
        state = ResourceState(
            urn=goal.urn,
            type=goal.type,
            custom=True,
            id=identifier,
            parent=goal.parent,
            inputs=goal.inputs,
            outputs=goal.inputs,
            dependencies=goal.dependencies,
            protect=goal.protect,
        )
        self._record(_unreal_step(old, state))
        if not self.preview and state != old:
            self.store.put(state)
        return Registered(urn=goal.urn, id=identifier, outputs=goal.inputs)

    def _record(self, step: Step) -> None:
        with self._lock:
            self._steps_taken.append(step)

    def _record_failure(self, goal: Goal, operation: Operation, message: str, seconds: float) -> None:
        with self._lock:
            self._unmade.add(goal.urn)
            self._failures.append(StepFailure(operation=operation, urn=goal.urn, type=goal.type, message=message))
        self._progress(
            Event(operation=operation, status="failed", urn=goal.urn, type=goal.type, seconds=seconds, message=message)
        )

    def _tell(self, taken: Taken, seconds: float) -> None:
        step = taken.step
        self._progress(Event(operation=step.operation, status="done", urn=step.urn, type=step.type, seconds=seconds))


def _unreal_step(old: ResourceState | None, new: ResourceState) -> Step:
    changed: tuple[str, ...] = ()
    operation: Operation = "create"
    if old is not None:
        changed = tuple(sorted(k for k in {*old.inputs, *new.inputs} if old.inputs.get(k) != new.inputs.get(k)))
        operation = "update" if changed else "same"
    return Step(operation=operation, urn=new.urn, type=new.type, changed=changed, old=old, new=new)


def _reference(reference: str, project: str) -> tuple[str, str]:
    """Project and stack of `<stack>`, `organization/<stack>` or `organization/<project>/<stack>`."""
    parts = reference.split("/")
    return (parts[1] if len(parts) == 3 else project), parts[-1]
