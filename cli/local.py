"""`drivetrain local`: the rehearsal on this machine."""

import shlex
from typing import Annotated

import typer

from cli.bring_up import bring_up
from cli.connection import DEFAULT_REHEARSAL, LOCAL_STACK, JsonOption, RehearsalOption, StackOption, state_directory
from cli.ending import end
from cli.output import console, print_json
from cli.status import local_status, print_status
from infra.settings import load_settings
from infra.sources import project_directory
from rehearsal import server
from rehearsal.server import ServerError

app = typer.Typer(help="The rehearsal: the whole platform on this machine, offline.", no_args_is_help=True)

PortOption = Annotated[
    int | None, typer.Option("--port", min=1, max=65535, help="Port of the AWS; a free one if unset.")
]


ContainersOption = Annotated[
    bool,
    typer.Option("--containers", help="Build the images and run SageMaker's jobs and endpoints in them, by podman."),
]


@app.command()
def up(
    name: RehearsalOption = DEFAULT_REHEARSAL, port: PortOption = None, containers: ContainersOption = False
) -> None:
    """Deploy the platform, land data, train, release and serve; again while up, it changes nothing."""
    bring_up(state_directory(project_directory(), name), port, containers=containers)


@app.command()
def down(name: RehearsalOption = DEFAULT_REHEARSAL) -> None:
    """Stop the rehearsal and everything it runs, and forget its state."""
    ended = end(state_directory(project_directory(), name))
    console.print(f"the rehearsal {name!r} is down" if ended else f"the rehearsal {name!r} was not up", markup=False)


@app.command()
def status(name: RehearsalOption = DEFAULT_REHEARSAL, as_json: JsonOption = False) -> None:
    """Show what runs: the AWS, its stacks, executions and endpoints."""
    found = local_status(state_directory(project_directory(), name), name)
    if as_json:
        print_json(found)
    else:
        print_status(found)


@app.command()
def env(stack: StackOption = LOCAL_STACK, name: RehearsalOption = DEFAULT_REHEARSAL) -> None:
    """Print `export` lines, so that any AWS client works against the rehearsal: eval "$(drivetrain local env)"."""
    project_dir = project_directory()
    running = server.running(state_directory(project_dir, name))
    if running is None:
        raise ServerError(f"the rehearsal {name!r} is not up; bring it up with: drivetrain local up")
    settings = load_settings(project_dir, stack)
    for key, value in running.environment(settings.account_id, settings.region).items():
        typer.echo(f"export {key}={shlex.quote(value)}")
