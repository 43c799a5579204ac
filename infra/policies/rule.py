"""What a rule is: over one resource, or over all of a stack; each with the examples that test it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from infra.policies.resources import Properties, Resource, Stack
from infra.policies.sources import Source

Severity = Literal["critical", "high", "medium", "low"]
SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low")
Check = Callable[[Properties], str | None]
"""What is wrong with a resource, None when nothing is. Raises Undecided."""
StackCheck = Callable[[Stack], Iterable[tuple[Resource, str]]]
"""The resources that something is wrong with, and what. Raises Undecided."""
Relation = Callable[[Resource, Stack], str | None]
"""What is wrong with a resource, given all others. Raises Undecided."""
REMOVED = object()
"""In `broken_by`: the property is left out."""


@dataclass(frozen=True, kw_only=True)
class _Rule:
    id: str
    title: str
    sources: tuple[Source, ...]
    severity: Severity
    types: tuple[str, ...]
    """The resource types that it judges."""

    @property
    def service(self) -> str:
        """The first part of the id, as the table of coverage groups it."""
        return self.id.split("-")[0]

    @property
    def cited(self) -> str:
        """Its sources in words."""
        return "; ".join(source.label for source in self.sources)


@dataclass(frozen=True, kw_only=True)
class ResourceRule(_Rule):
    """A rule over the type and properties of one resource."""

    check: Check
    passing: Mapping[str, Any]
    """Properties of a resource of the first type that pass."""
    broken_by: Mapping[str, Any]
    """The one change to `passing` that breaks this rule; REMOVED leaves a property out."""

    def verdict(self, resource: Resource) -> str | None:
        """What is wrong with the resource, None when nothing is or the rule is not about its type."""
        return self.check(Properties(resource)) if resource.type in self.types else None

    @property
    def failing(self) -> dict[str, Any]:
        """The properties that break the rule."""
        changed = {**self.passing, **self.broken_by}
        return {key: value for key, value in changed.items() if value is not REMOVED}


@dataclass(frozen=True, kw_only=True)
class StackRule(_Rule):
    """A rule over how each resource of its types relates to the rest of the stack."""

    relation: Relation
    passing: tuple[Resource, ...]
    failing: tuple[Resource, ...]


Rule = ResourceRule | StackRule
