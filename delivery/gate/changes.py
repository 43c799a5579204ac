"""A step of a preview as the gate looks at it: what the resource is before and after."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from delivery.gate.finding import Finding, GateRule
from delivery.pulumi.preview import WITHOUT_NEW, Preview, PreviewStep
from infra.policies.resources import Properties, Resource

_REPLACING = frozenset({"replace", "create-replacement", "delete-replaced", "import-replacement", "discard-replaced"})
_DELETING = frozenset({"delete", "discard"})
_CREATING = frozenset({"create", "import"})
_PROVIDERS = "pulumi:providers:"


@dataclass(frozen=True, kw_only=True)
class Change:
    """All steps of one resource together: a replacement is told as several."""

    step: PreviewStep
    """The one that says most: with both sides where there are two."""
    operations: frozenset[str]

    @property
    def created(self) -> bool:
        """Whether it is new to the stack."""
        return bool(self.operations & _CREATING)

    @property
    def deleted(self) -> bool:
        """Whether the stack no longer has it."""
        return bool(self.operations & _DELETING)

    @property
    def replaced(self) -> bool:
        """Whether another takes its place."""
        return bool(self.operations & _REPLACING) and not self.deleted

    @property
    def touched(self) -> bool:
        """Whether something that is there is changed."""
        return self.deleted or self.replaced or "update" in self.operations

    @cached_property
    def old(self) -> Properties:
        """What it is."""
        return Properties(self._resource(self.step.old_inputs))

    @cached_property
    def new(self) -> Properties:
        """What it would be; empty when it is deleted."""
        return Properties(self._resource(self.step.new_inputs))

    def found(self, rule: GateRule, message: str) -> Finding:
        """A finding about this resource."""
        return Finding(rule=rule, urn=self.step.urn, name=self.step.name, type=self.step.type, message=message)

    def _resource(self, properties: Mapping[str, Any]) -> Resource:
        step = self.step
        return Resource(
            type=step.type, name=step.name, properties=properties, urn=step.urn, protect=not step.unprotected
        )


@dataclass(frozen=True)
class Changes:
    """All resources of a preview, those that stay the same among them."""

    all: tuple[Change, ...]

    @property
    def first(self) -> bool:
        """Whether the stack is empty yet."""
        return all(each.created for each in self.all)

    def of(self, *types: str) -> list[Change]:
        """Those of these types."""
        return [each for each in self.all if each.step.type in types]

    @cached_property
    def accounts(self) -> frozenset[str]:
        """The account that the stack belongs to, as its provider is pinned to it."""
        # A provider's own properties travel as JSON text.
        pinned = [each.step.new_inputs.get("allowedAccountIds") for each in self.of(f"{_PROVIDERS}aws")]
        return frozenset(account for each in pinned for account in re.findall(r"\d{12}", str(each)))


def changes_of(preview: Preview) -> Changes:
    """The custom resources of the preview, one Change for each."""
    steps: dict[str, list[PreviewStep]] = {}
    for step in preview.steps:
        if step.custom:
            steps.setdefault(step.urn, []).append(step)
    return Changes(tuple(_together(each) for each in steps.values()))


def _together(steps: Iterable[PreviewStep]) -> Change:
    listed = list(steps)
    # What only deletes says nothing of what comes in its place.
    telling = [step for step in listed if step.op not in WITHOUT_NEW] or listed
    with_both = [step for step in telling if step.old_inputs and step.new_inputs] or telling
    return Change(step=with_both[0], operations=frozenset(step.op for step in listed))
