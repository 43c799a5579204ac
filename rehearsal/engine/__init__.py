"""A small deployment engine: applies the Pulumi program to the rehearsal AWS where there is no Pulumi CLI.

    from rehearsal.engine import up
    result = up(project_dir, "local", state_file, environment)
    print(result.summary, result.outputs)

It keeps Pulumi's own rules (URNs, names, diffs, replacement, protection, deletion order), so that the same program
behaves the same under `pulumi up`.
"""

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
