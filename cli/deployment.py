"""Applying the program to a rehearsal."""

import importlib
import threading

from cli.output import stage
from infra.bootstrap.settings import bootstrap_settings
from infra.settings import Settings
from infra.sources import project_directory
from rehearsal import engine
from rehearsal.engine import UpResult
from rehearsal.server import Rehearsal


def import_program() -> None:
    """Begin to import what the program imports: seconds of one core, while this process waits for others."""
    threading.Thread(target=importlib.import_module, args=("infra.platform",), daemon=True).start()


def bootstrap_rehearsed(settings: Settings, running: Rehearsal) -> UpResult:
    """Bring the account in the rehearsal to what `drivetrain bootstrap` would bring one on AWS to."""
    wanted = bootstrap_settings(project_directory(), settings)
    with stage("bootstrap the account (state, keys, roles)") as step:
        result = engine.up(
            project_directory() / "bootstrap",
            wanted.name,
            running.state_dir / "bootstrap" / f"{wanted.name}.json",
            environment=running.environment(settings.account_id, settings.region),
            settings_override=wanted.model_dump(mode="json"),
        )
        step.outcome = result.summary
    return result


def deploy_rehearsed(settings: Settings, running: Rehearsal, title: str) -> UpResult:
    """Bring the stack's resources in the rehearsal to what the program declares."""
    with stage(title) as step:
        result = engine.up(
            project_directory(),
            settings.stack,
            running.state_dir / "stacks" / f"{settings.stack}.json",
            environment=running.environment(settings.account_id, settings.region),
            settings_override={"releases": str(running.state_dir / "releases")},
        )
        step.outcome = result.summary
    return result
