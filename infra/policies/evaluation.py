"""Every rule over every resource of a stack, less what is exempt."""

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from infra.policies.catalogue import ALL_RULES
from infra.policies.exemptions import Exemption
from infra.policies.resources import Resource, Stack, Undecided
from infra.policies.rule import SEVERITIES, ResourceRule, Rule, Severity

EXPIRED = "exemption-expired"


@dataclass(frozen=True, kw_only=True)
class Violation:
    """One rule that one resource breaks."""

    rule: str
    severity: Severity
    type: str
    name: str
    urn: str
    message: str
    """What is wrong with it, and what would be right."""
    source: str
    url: str

    @property
    def text(self) -> str:
        """The violation in one line."""
        return f"{self.rule} ({self.severity}): {self.type}::{self.name}: {self.message} [{self.source}]"


@dataclass(frozen=True, kw_only=True)
class Open:
    """A rule without a verdict yet, as the value at `path` is not known."""

    rule: str
    urn: str
    path: str


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """All that the rules say of a stack."""

    violations: tuple[Violation, ...]
    exempted: tuple[tuple[Violation, Exemption], ...]
    undecided: tuple[Open, ...]
    unused: tuple[Exemption, ...]
    """Exemptions that nothing in this stack needs."""


def evaluate(
    resources: Sequence[Resource], exemptions: Sequence[Exemption], today: datetime.date
) -> tuple[Violation, ...]:
    """The violations of a stack that are not exempt, the most severe first; an expired exemption is one of them."""
    return assess(resources, exemptions, today).violations


def assess(
    resources: Sequence[Resource],
    exemptions: Sequence[Exemption],
    today: datetime.date,
    rules: Sequence[Rule] = ALL_RULES,
) -> Assessment:
    """As `evaluate`, with what is exempt, what is not decided yet and which exemptions were not needed."""
    stack = Stack(tuple(resources))
    verdicts = tuple(_verdicts(stack, rules))
    broken = [each for each in verdicts if isinstance(each, Violation)]
    in_force = [each for each in exemptions if not each.expired(today)]
    matched = [(each, _exemption_of(each, in_force)) for each in broken]
    exempted = tuple((violation, one) for violation, one in matched if one is not None)
    used = {id(one) for _, one in exempted}
    remaining = [violation for violation, one in matched if one is None]
    expired = [_expired(each, today) for each in exemptions if each.expired(today)]
    return Assessment(
        violations=tuple(sorted([*expired, *remaining], key=_order)),
        exempted=exempted,
        undecided=tuple(each for each in verdicts if isinstance(each, Open)),
        unused=tuple(each for each in in_force if id(each) not in used),
    )


def _exemption_of(violation: Violation, exemptions: Sequence[Exemption]) -> Exemption | None:
    return next((each for each in exemptions if each.covers(violation.rule, violation.urn, violation.name)), None)


def _verdicts(stack: Stack, rules: Sequence[Rule]) -> Iterator[Violation | Open]:
    for rule in rules:
        for resource in stack.of(*rule.types):
            try:
                said = judge(rule, resource, stack)
            except Undecided as value:
                yield Open(rule=rule.id, urn=resource.identity, path=str(value))
                continue
            if said is not None:
                yield _violation(rule, resource, said)


def judge(rule: Rule, resource: Resource, stack: Stack) -> str | None:
    """What is wrong with the resource by this rule, None when nothing is. Raises Undecided."""
    if isinstance(rule, ResourceRule):
        return rule.verdict(resource)
    return rule.relation(resource, stack)


def _violation(rule: Rule, resource: Resource, said: str) -> Violation:
    return Violation(
        rule=rule.id,
        severity=rule.severity,
        type=resource.type,
        name=resource.name,
        urn=resource.identity,
        message=said,
        source=rule.cited,
        url=rule.sources[0].url,
    )


def _expired(exemption: Exemption, today: datetime.date) -> Violation:
    ago = (today - exemption.expires).days
    return Violation(
        rule=EXPIRED,
        severity="high",
        type="exemption",
        name=exemption.resource,
        urn=exemption.resource,
        message=(
            f"the exemption from {exemption.rule} expired on {exemption.expires}, {ago} days ago; "
            "put the resource right, or look at the reason again and set a new date"
        ),
        source=f"infra/policies/exemptions.toml: {exemption.reason}",
        url="",
    )


def _order(violation: Violation) -> tuple[int, str, str]:
    return SEVERITIES.index(violation.severity), violation.rule, violation.urn
