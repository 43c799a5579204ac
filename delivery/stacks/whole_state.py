"""The state of several stacks as one, for what asks only which endpoints there are."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from delivery.endpoints.declared import resources
from delivery.pulumi.command import PulumiStack, StackUnmadeError


def whole_state(stacks: Iterable[PulumiStack]) -> dict[str, Any]:
    """All their resources, as `pulumi stack export` shows those of one; a stack that was never deployed holds none.

    Only to be read: no stack may be given it back.
    """
    found: list[Any] = []
    for stack in stacks:
        with suppress(StackUnmadeError):
            found += resources(stack.export())
    return {"version": 3, "deployment": {"resources": found}}
