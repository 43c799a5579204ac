"""Applying the program to a rehearsal."""

import importlib
import json
import threading
from collections.abc import Mapping
from typing import Any

from cli.output import stage
from delivery.endpoints.retirement import retire
from delivery.endpoints.verify import refuse, verify
from infra.bootstrap.settings import bootstrap_settings
from infra.settings import Settings
from infra.sources import project_directory
from models.release import Release, load_releases
from models.spec import discover
from rehearsal import engine
from rehearsal.engine import UpResult
from rehearsal.provider.aws_clients import EnvironmentClients
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
    """Bring the stack's resources in the rehearsal to what the program declares, and see that they are so.

    Raises NotAsDeclaredError when an alarm rolled a release back.
    """
    state_file = running.state_dir / "stacks" / f"{settings.stack}.json"
    environment = running.environment(settings.account_id, settings.region)
    with stage(title) as step:
        result = engine.up(
            project_directory(),
            settings.stack,
            state_file,
            environment=environment,
            settings_override={"releases": str(running.state_dir / "releases")},
        )
        step.outcome = result.summary
    releases = load_releases(running.state_dir / "releases" / f"{settings.stack}.toml")
    if releases:
        _prove(settings, releases, json.loads(state_file.read_text(encoding="utf-8")), environment)
    return result


def _prove(
    settings: Settings, releases: Mapping[str, Release], state: Mapping[str, Any], environment: dict[str, str]
) -> None:
    """Verify as `drivetrain deploy` does, then remove what no endpoint uses."""
    clients, names = EnvironmentClients(environment), settings.names
    endpoints = {model: names.endpoint(model) for model in releases if _has_folder(model)}
    sagemaker = clients.client("sagemaker")
    verdicts = verify(
        sagemaker=sagemaker,
        cloudwatch=clients.client("cloudwatch"),
        endpoints=endpoints,
        releases=releases,
        state=state,
    )
    refuse(verdicts)
    retire(sagemaker, names, state)


def _has_folder(model: str) -> bool:
    """A release whose model is gone from the checkout is ignored by the program, which warns of it."""
    return model in {spec.name for spec in discover(project_directory() / "models")}
