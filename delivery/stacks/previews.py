"""The preview of a whole environment: one document, whether it is one stack or a platform and its models."""

import json
from collections.abc import Iterable
from typing import Any

from delivery.pulumi.command import PulumiError, PulumiStack, StackUnmadeError

WAITS = "apply it first: drivetrain deploy "
"""What the program of a model's stack says when the platform is not applied yet (infra/platform_reference.py)."""


def preview_document(first: PulumiStack, models: Iterable[PulumiStack], *, refresh: bool = False) -> str:
    """What `parse_preview` reads: Pulumi's own document where there is one stack, else all of them in one.

    The stack of a model that was never deployed, or waits for its platform, is left out with the reason.
    """
    text, rest = first.preview_json(refresh=refresh), list(models)
    if not rest:
        return text
    found: dict[str, Any] = {first.name: json.loads(text)}
    left_out: dict[str, str] = {}
    for stack in rest:
        try:
            found[stack.name] = json.loads(stack.preview_json(refresh=refresh))
        except StackUnmadeError:
            left_out[stack.name] = "not deployed yet, the deployment makes it and judges it then"
        except PulumiError as error:
            if WAITS not in error.diagnosis:
                raise
            left_out[stack.name] = f"waits for {first.name}, which the deployment applies first, and is judged then"
    return json.dumps({"stacks": found, "leftOut": left_out})
