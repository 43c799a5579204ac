"""A small deployment engine: applies the Pulumi program to the rehearsal AWS where there is no Pulumi CLI.

    from rehearsal.engine import up
    result = up(project_dir, "local", state_file, environment)
    print(result.summary, result.outputs)

It keeps Pulumi's own rules (URNs, names, diffs, replacement, protection, deletion order), so that the same program
behaves the same under `pulumi up`. Pulumi itself is imported when it is first applied: most commands never do.
"""

import importlib
from typing import TYPE_CHECKING, Any

from rehearsal.engine.results import (
    DeploymentFailedError,
    DestroyResult,
    EngineError,
    Event,
    Plan,
    Progress,
    ProtectedError,
    RefreshResult,
    Step,
    StepFailure,
    UpResult,
)

if TYPE_CHECKING:
    from rehearsal.engine.stacks import destroy, preview, refresh, up

__all__ = [
    "DeploymentFailedError",
    "DestroyResult",
    "EngineError",
    "Event",
    "Plan",
    "Progress",
    "ProtectedError",
    "RefreshResult",
    "Step",
    "StepFailure",
    "UpResult",
    "destroy",
    "preview",
    "refresh",
    "up",
]


def __getattr__(name: str) -> Any:
    """The functions that need Pulumi."""
    if name in ("destroy", "preview", "refresh", "up"):
        return getattr(importlib.import_module("rehearsal.engine.stacks"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
