"""The gate's verdict on a preview: what it stops, what a commit allows, and what the rules of infra/policies say."""

import datetime
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from delivery.errors import DeliveryError
from delivery.gate.allowances import FORM, Allowance
from delivery.gate.changes import Change, Changes, changes_of
from delivery.gate.exposure import opened_to_public
from delivery.gate.finding import GATE_RULES, MEANING, Finding
from delivery.gate.iam import iam_widened
from delivery.gate.losses import losses
from delivery.gate.scale import many_changes
from delivery.gate.settings import lessened
from delivery.pulumi.preview import Preview
from infra.policies import Exemption, Resource, Violation, assess
from infra.policies.evaluation import Assessment


class GateError(DeliveryError):
    """The gate stops a deployment; the message names each reason and the line that would allow it."""

    def __init__(self, verdict: "Verdict") -> None:
        super().__init__(verdict.text)
        self.verdict = verdict


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the gate says of one preview."""

    stack: str
    stopped: tuple[Finding, ...]
    allowed: tuple[tuple[Finding, Allowance], ...]
    violations: tuple[Violation, ...]
    """Of rules of infra/policies; no line allows these, only an exemption does."""
    exempted: tuple[tuple[Violation, Exemption], ...]
    undecided: int
    """Verdicts of rules that wait for a value; `pulumi up` gives them before the resource is made."""
    unused: tuple[Allowance, ...]
    """Lines that allowed nothing here: of another stack, or of what is no longer changed."""

    @property
    def passed(self) -> bool:
        """Whether the preview may be applied."""
        return not self.stopped and not self.violations

    @property
    def text(self) -> str:
        """The verdict for people: reasons first, then what was allowed and what was not needed."""
        lines = [f"the gate lets {self.stack} pass" if self.passed else f"the gate stops {self.stack}:"]
        for finding in self.stopped:
            lines += [f"  {finding.text}", f"    to allow just that, a line of a commit message: {finding.allowance}"]
        lines += [f"  policy {each.text}" for each in self.violations]
        lines += [f"  allowed: {finding.text} [{allowance.text}]" for finding, allowance in self.allowed]
        lines += [f"  not needed here: {each.text}" for each in self.unused]
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """The verdict as a JSON document."""
        return {
            "stack": self.stack,
            "passed": self.passed,
            "stopped": [_finding(each) for each in self.stopped],
            "allowed": [{**_finding(finding), "by": allowance.text} for finding, allowance in self.allowed],
            "violations": [asdict(each) for each in self.violations],
            "exempted": [
                {"rule": each.rule, "urn": each.urn, "reason": one.reason, "expires": one.expires.isoformat()}
                for each, one in self.exempted
            ],
            "undecided": self.undecided,
            "unused": [each.text for each in self.unused],
            "form": FORM,
        }


def check(
    preview: Preview,
    allowances: Sequence[Allowance] = (),
    *,
    stack: str = "",
    exemptions: Sequence[Exemption] = (),
    today: datetime.date | None = None,
) -> Verdict:
    """The verdict on a preview: pure, the same on a pull request and before the apply.

    `stack` is taken from the URNs where it is not given. `today` decides which exemptions are over; the default is the
    day in UTC.
    """
    changes = changes_of(preview)
    name = stack or _stack_of(preview)
    findings = tuple(_findings(changes, name))
    matched = [(each, next((one for one in allowances if one.allows(each)), None)) for each in findings]
    assessment = _policies(changes, exemptions, today or datetime.datetime.now(datetime.UTC).date())
    return Verdict(
        stack=name,
        stopped=tuple(finding for finding, one in matched if one is None),
        allowed=tuple((finding, one) for finding, one in matched if one is not None),
        violations=assessment.violations,
        exempted=assessment.exempted,
        undecided=len(assessment.undecided),
        unused=tuple(one for one in allowances if not any(one.allows(each) for each in findings)),
    )


def require(verdict: Verdict) -> None:
    """Raise GateError unless the preview may be applied."""
    if not verdict.passed:
        raise GateError(verdict)


def _findings(changes: Changes, stack: str) -> list[Finding]:
    found = [
        *losses(changes),
        *iam_widened(changes),
        *opened_to_public(changes),
        *lessened(changes),
        *many_changes(changes, stack),
    ]
    return sorted(dict.fromkeys(found), key=lambda each: (GATE_RULES.index(each.rule), each.urn))


def _policies(changes: Changes, exemptions: Sequence[Exemption], today: datetime.date) -> Assessment:
    resources = [_resource(each) for each in changes.all if not each.deleted]
    return assess(resources, exemptions, today)


def _resource(change: Change) -> Resource:
    step = change.step
    return Resource(
        type=step.type,
        name=step.name,
        properties=step.new_inputs,
        urn=step.urn,
        protect=step.protect and not step.unprotected,
    )


def _stack_of(preview: Preview) -> str:
    # urn:pulumi:STACK::PROJECT::TYPES::NAME
    return next((step.urn.split("::")[0].removeprefix("urn:pulumi:") for step in preview.steps), "the stack")


def _finding(finding: Finding) -> dict[str, str]:
    return {**asdict(finding), "meaning": MEANING[finding.rule], "allowance": finding.allowance}
