"""`drivetrain lock`: who holds the state of a stack, and letting go of a lock whose holder is gone."""

import os
import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from cli.connection import DEFAULT_REHEARSAL, JsonOption, RehearsalOption, connect
from cli.output import console, print_json, print_table
from delivery.pulumi.backend import backend_url, project_name
from delivery.pulumi.locks import StackLock, find_locks, release, whoami
from infra.scope import environment_of
from infra.settings import environments, load_settings
from infra.sources import project_directory

StackArgument = Annotated[str, typer.Argument(help="A stack, as in Pulumi.<stack>.yaml.")]
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}

app = typer.Typer(help="Who holds the state of a stack since when, and letting go of it.", no_args_is_help=True)


@app.command()
def show(stack: StackArgument, rehearsal: RehearsalOption = DEFAULT_REHEARSAL, as_json: JsonOption = False) -> None:
    """Show who holds the stack and since when."""
    found = _locks(stack, rehearsal)
    if as_json:
        print_json([_as_json(lock) for lock in found])
    elif not found:
        console.print(f"nobody holds {stack}", markup=False)
    else:
        rows = [(lock.holder, lock.pid, _when(lock), _age(lock)) for lock in found]
        print_table(f"locks on {stack}", ("holder", "process", "since", "age"), rows)


@app.command("release")
def release_(
    stack: StackArgument,
    older_than: Annotated[
        str | None,
        typer.Option("--older-than", metavar="AGE", help="Release others' locks too, from this age on: 90m, 6h, 1d."),
    ] = None,
    rehearsal: RehearsalOption = DEFAULT_REHEARSAL,
) -> None:
    """Release the locks on the stack: your own, or with --older-than any of that age."""
    age = _duration(older_than) if older_than else None
    found = _locks(stack, rehearsal)
    if not found:
        console.print(f"nobody holds {stack}", markup=False)
    for lock in found:
        release(lock, whoami(), age)
        console.print(f"released the lock {lock}", markup=False)


def _locks(stack: str, rehearsal: str) -> tuple[StackLock, ...]:
    project_dir = project_directory()
    environment = environment_of(stack, environments(project_dir))
    url = backend_url(load_settings(project_dir, environment), os.environ)
    if url.startswith("s3://"):
        connect(environment, rehearsal)
    return find_locks(url, project_name(project_dir), stack)


def _duration(text: str) -> timedelta:
    found = re.fullmatch(r"(\d+)([mhd])", text)
    if found is None:
        raise typer.BadParameter(f"{text!r}: use a number and m, h or d, such as 90m", param_hint="--older-than")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _when(lock: StackLock) -> str:
    return f"{lock.since:%Y-%m-%d %H:%M:%S} UTC"


def _age(lock: StackLock) -> str:
    return str(timedelta(seconds=int(lock.age(datetime.now(UTC)).total_seconds())))


def _as_json(lock: StackLock) -> dict[str, Any]:
    return {
        "holder": lock.holder,
        "host": lock.host,
        "process": lock.pid,
        "since": lock.since.isoformat(),
        "age_seconds": int(lock.age().total_seconds()),
        "path": lock.path,
    }
