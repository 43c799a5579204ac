"""`drivetrain scope`: from everything in one stack to a stack per model, and back; nothing on AWS is touched."""

import os

import typer

from cli.connection import DEFAULT_REHEARSAL, RehearsalOption, connect
from cli.output import console
from cli.verify import StackArgument
from delivery.endpoints.live_instances import configuration_with, live_instances
from delivery.pulumi.backend import BACKEND_VARIABLE, backend_url, secrets_provider
from delivery.stacks.scope_moves import Move, Moved, join, split
from infra.scope import Scope
from infra.settings import stack_file
from models.spec import discover

app = typer.Typer(help="One stack per environment, or one per model beside the platform's.", no_args_is_help=True)


@app.command("split")
def split_command(stack: StackArgument, name: RehearsalOption = DEFAULT_REHEARSAL) -> None:
    """Move each model of an environment into a stack of its own; previews afterwards must show no change."""
    _move(stack, name, "models")


@app.command("join")
def join_command(stack: StackArgument, name: RehearsalOption = DEFAULT_REHEARSAL) -> None:
    """Move the models of an environment back into its one stack; previews afterwards must show no change."""
    _move(stack, name, "stack")


def _move(environment: str, rehearsal: str, scope: Scope) -> None:
    connection = connect(environment, rehearsal)
    settings, project_dir = connection.settings, connection.project_dir
    models = [spec.name for spec in discover(project_dir / "models")]
    endpoints = {model: connection.names.endpoint(model) for model in models}
    instances = live_instances(connection.client("sagemaker"), endpoints)
    with configuration_with(stack_file(project_dir, environment), instances) as configuration:
        move = Move(
            project_dir=project_dir,
            settings=settings,
            models=models,
            configuration=configuration,
            backups=project_dir / ".local" / "scopes",
            environment={**os.environ, BACKEND_VARIABLE: backend_url(settings)},
            # Whoever keeps the state elsewhere says how it is encrypted: PULUMI_CONFIG_PASSPHRASE.
            secrets_provider=None if BACKEND_VARIABLE in os.environ else secrets_provider(settings),
        )
        moved = (split if scope == "models" else join)(move, lambda line: console.print(f"   {line}", markup=False))
    console.print(_said(environment, scope, moved), markup=False)


def _said(environment: str, scope: Scope, moved: Moved) -> str:
    models = "one model" if len(moved.models) == 1 else f"{len(moved.models)} models"
    what = f"{models}, {moved.resources} resources" if moved.models else "nothing"
    return (
        f"{environment}: {what} moved, no change in any preview. Pulumi.{environment}.yaml says scope: {scope}; commit "
        "it: a deployment of a commit that says otherwise is refused"
    )
