"""Changing many resources at once: more than anyone reads, or more than a part of what is there."""

from collections.abc import Iterator

from delivery.gate.changes import Changes
from delivery.gate.finding import Finding

MOST = 100
"""Resources that one deployment may change, whatever the size of the stack."""
NOTABLE = 20
"""Below that many, a share of the stack says nothing."""
SHARE = 0.25


def many_changes(changes: Changes, stack: str) -> Iterator[Finding]:
    """One finding when too many resources that are there change; what is new touches none of them."""
    there = [each for each in changes.all if not each.created and each.step.type.startswith("aws:")]
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
