"""Changing many resources at once: more than anyone reads, or more than a part of what is there."""

from collections.abc import Iterable, Iterator

from delivery.gate.changes import Change, Changes
from delivery.gate.finding import Finding

MOST = 100
"""Resources that one deployment may change, whatever the size of the stack."""
NOTABLE = 20
"""Below that many, a share of the stack says nothing."""
SHARE = 0.25


def many_changes(changes: Changes, stack: str) -> Iterator[Finding]:
    """A finding where too many resources of a stack that are there change; what is new touches none of them.

    `stack` is what the finding calls it, unless the preview is of several: each is deployed, and judged, by itself.
    """
    by_stack: dict[str, list[Change]] = {}
    for each in changes.all:
        by_stack.setdefault(each.step.urn.split("::")[0].removeprefix("urn:pulumi:"), []).append(each)
    for name, found in by_stack.items():
        yield from _many(found, name if len(by_stack) > 1 else stack)


def _many(changes: Iterable[Change], stack: str) -> Iterator[Finding]:
    there = [each for each in changes if not each.created and each.step.type.startswith("aws:")]
    touched = [each for each in there if each.touched]
    share = len(touched) / len(there) if there else 0.0
    if len(touched) > MOST or (len(touched) > NOTABLE and share > SHARE):
        yield Finding(
            rule="many-changes",
            urn=f"urn:pulumi:{stack}",
            name=stack,
            type="pulumi:pulumi:Stack",
            message=f"{len(touched)} of {len(there)} resources change ({share:.0%}); "
            f"told above {MOST}, or above {NOTABLE} and {SHARE:.0%}",
        )
