"""What the engine says: steps, events while it works, results, and the errors a user may meet."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from rehearsal.engine.resource_state import ResourceState
from rehearsal.engine.urn import PROVIDER_PREFIX

Operation = Literal["create", "update", "replace", "delete", "same", "read", "import", "refresh"]
Status = Literal["started", "done", "failed", "skipped"]


@dataclass(frozen=True, kw_only=True)
class Event:
    """One resource began, ended or failed; `seconds` counts from its start."""

    operation: Operation
    status: Status
    urn: str
    type: str
    seconds: float = 0.0
    message: str = ""


Progress = Callable[[Event], None]
Inspect = Callable[[ResourceState], str]
"""What a policy has against a resource with all its inputs known, empty when nothing; asked before it is touched."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """What would be done to one resource; `changed` and `replaces` are its top-level inputs.

    `old` and `new` are its state before and after; `detail` is the kind of each difference by its path.
    """

    operation: Operation
    urn: str
    type: str
    changed: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    old: ResourceState | None = None
    new: ResourceState | None = None
    detail: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def is_real(self) -> bool:
        """Whether it is about something on AWS, and not a component or a provider."""
        state = self.new or self.old
        return state is None or (state.custom and not state.type.startswith(PROVIDER_PREFIX))


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What an `up` would do, in the order the program registers; resources that stay the same included.

    `every_step` has those of components and providers too, as Pulumi counts them; `messages` is what the program said.
    """

    steps: tuple[Step, ...]
    seconds: float
    every_step: tuple[Step, ...] = ()
    refreshed: tuple[Step, ...] = ()
    messages: tuple[tuple[int, str], ...] = ()

    @property
    def changes(self) -> tuple[Step, ...]:
        """The steps that are not `same`."""
        return tuple(step for step in self.steps if step.operation not in ("same", "read"))


@dataclass(frozen=True, kw_only=True)
class UpResult:
    """The URNs of the resources an `up` made, changed, replaced, removed and left alone, and the stack's outputs."""

    created: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    outputs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    seconds: float = 0.0
    every_step: tuple[Step, ...] = ()
    messages: tuple[tuple[int, str], ...] = ()

    @property
    def changed(self) -> int:
        """How many resources were not the same before and after."""
        return len(self.created) + len(self.updated) + len(self.replaced) + len(self.deleted)

    @property
    def summary(self) -> str:
        """Such as `3 created, 1 replaced, 196 unchanged in 2.1 s`."""
        counted = {
            "created": self.created,
            "updated": self.updated,
            "replaced": self.replaced,
            "deleted": self.deleted,
            "unchanged": self.same,
        }
        parts = [f"{len(urns)} {word}" for word, urns in counted.items() if urns]
        return f"{', '.join(parts) or 'nothing to do'} in {self.seconds:.1f} s"


@dataclass(frozen=True, kw_only=True)
class DestroyResult:
    """The URNs that were removed."""

    deleted: tuple[str, ...]
    seconds: float
    every_step: tuple[Step, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RefreshResult:
    """The URNs that AWS no longer knows and those whose declared properties had drifted; the state now says so."""

    gone: tuple[str, ...]
    drifted: tuple[str, ...]
    seconds: float
    every_step: tuple[Step, ...] = ()


@dataclass(frozen=True, kw_only=True)
class StepFailure:
    """One resource that could not be brought to what the program declares."""

    operation: Operation
    urn: str
    type: str
    message: str

    def __str__(self) -> str:
        return f"{self.operation} {self.urn} ({self.type}): {self.message}"


class EngineError(Exception):
    """Something the user can put right; the text says what."""


class DeploymentFailedError(EngineError):
    """At least one resource failed; the others were finished and all of it is in the state."""

    def __init__(self, failures: tuple[StepFailure, ...], skipped: tuple[str, ...]) -> None:
        lines = [str(failure) for failure in failures]
        if skipped:
            lines.append(f"{len(skipped)} more were not tried because they depend on these")
        super().__init__("\n".join(lines))
        self.failures = failures
        self.skipped = skipped


class PolicyViolationError(EngineError):
    """A policy does not allow the resource as it is declared; it was not touched."""


class ProtectedError(EngineError):
    """A protected resource would have to be deleted."""

    def __init__(self, urns: list[str]) -> None:
        super().__init__(
            "protected, so it is not deleted: "
            + ", ".join(urns)
            + "; set protect to false in the stack's settings, apply that, then try again"
        )
        self.urns = tuple(urns)
