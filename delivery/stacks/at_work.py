"""Whether somebody is at work on an environment, or was a moment ago: what runs beside deployments waits then.

A lock says that a deployment goes on. What is tried out afterwards (`drivetrain acceptance`) holds none, so a state
that was written a short while ago counts as well.
"""

from collections.abc import Iterable
from datetime import datetime

from delivery.pulumi.backend import STACKS, open_bucket
from delivery.pulumi.locks import find_locks


def held_by(backend_url: str, project: str, stacks: Iterable[str]) -> str:
    """Which of the stacks somebody holds since when, for people to read; empty when nobody does."""
    for stack in stacks:
        locks = find_locks(backend_url, project, stack)
        if locks:
            return f"the stack {stack} is {locks[0]}"
    return ""


def deployed_since(backend_url: str, project: str, stacks: Iterable[str], moment: datetime) -> str:
    """Which of the stacks' states was written after `moment`, for people to read; empty when none was."""
    bucket = open_bucket(backend_url)
    for stack in stacks:
        written = bucket.modified(f"{STACKS}/{project}/{stack}.json")
        if written is not None and written > moment:
            return f"the stack {stack} was deployed at {written:%Y-%m-%d %H:%M} UTC"
    return ""
