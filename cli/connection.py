"""Where a command's AWS calls go: the rehearsal that holds the stack when one runs, else the user's own credentials."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from botocore.config import Config
from botocore.exceptions import NoCredentialsError

from delivery.aws_session import aws_session
from infra.names import Names
from infra.settings import Settings, load_settings
from infra.sources import project_directory
from models.spec import ModelSpec, find_spec
from rehearsal import server
from rehearsal.server import Rehearsal

StackOption = Annotated[
    str, typer.Option("--stack", "-s", envvar="DRIVETRAIN_STACK", help="Which stack, as in Pulumi.<stack>.yaml.")
]
RehearsalOption = Annotated[
    str, typer.Option("--rehearsal", envvar="DRIVETRAIN_REHEARSAL", help="Which rehearsal of this checkout, by name.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for a script to read.")]
ModelArgument = Annotated[str, typer.Argument(help="A model, as its folder under models/ is called.")]

LOCAL_STACK = "local"
"""The stack that exists nowhere but in a rehearsal."""
DEFAULT_REHEARSAL = "default"
# What would otherwise outrank the rehearsal's own credentials.
_OUTRANKING = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")


class NotConnectedError(Exception):
    """There is no AWS to talk to; the message says how to get it."""


@dataclass(frozen=True, kw_only=True)
class Connection:
    """One stack, and the AWS that holds it."""

    project_dir: Path
    settings: Settings
    releases_file: Path
    rehearsal: Rehearsal | None

    @property
    def names(self) -> Names:
        """The names of the stack."""
        return self.settings.names

    def spec(self, model: str) -> ModelSpec:
        """The model called `model`; SpecError lists the models there are."""
        return find_spec(self.project_dir / "models", model)

    def client(self, service: str) -> Any:
        """A boto3 client of the stack's account and region."""
        return account_client(self.settings.region, service)


def account_client(region: str, service: str) -> Any:
    """A boto3 client with the credentials at hand, in `region`."""
    session = aws_session(region_name=region)
    return session.client(service, config=Config(connect_timeout=5, read_timeout=120))


def state_directory(project_dir: Path, rehearsal: str) -> Path:
    """Where the rehearsal of that name keeps its state."""
    if not rehearsal.replace("-", "").replace("_", "").isalnum():
        raise typer.BadParameter(f"{rehearsal!r}: use letters, digits, - and _", param_hint="--rehearsal")
    return project_dir / ".local" / rehearsal


def connect(stack: str, rehearsal_name: str) -> Connection:
    """Find the AWS that holds `stack`, and point this process' AWS clients at it."""
    project_dir = project_directory()
    settings = load_settings(project_dir, stack)
    state_dir = state_directory(project_dir, rehearsal_name)
    running = server.running(state_dir)
    if running is not None and server_holds(state_dir, stack):
        point_at(running.environment(settings.account_id, settings.region))
        releases = state_dir / "releases" / f"{stack}.toml"
        return Connection(project_dir=project_dir, settings=settings, releases_file=releases, rehearsal=running)
    if stack == LOCAL_STACK:
        raise NotConnectedError(f"the rehearsal {rehearsal_name!r} is not up; bring it up with: drivetrain local up")
    check_account(settings)
    releases = project_dir / settings.releases / f"{stack}.toml"
    return Connection(project_dir=project_dir, settings=settings, releases_file=releases, rehearsal=None)


def server_holds(state_dir: Path, stack: str) -> bool:
    """Whether the stack was applied to the rehearsal of that state directory."""
    return (state_dir / "stacks" / f"{stack}.json").is_file()


def point_at(environment: Mapping[str, str]) -> None:
    """Have every AWS client of this process, in whatever library, use these credentials and this endpoint."""
    for name in _OUTRANKING:
        os.environ.pop(name, None)
    os.environ.update(environment)


def check_account(settings: Settings) -> None:
    """Raise NotConnectedError unless the credentials at hand are of the stack's account."""
    session = aws_session(region_name=settings.region)
    try:
        identity = session.client("sts").get_caller_identity()
    except NoCredentialsError as error:
        raise NotConnectedError(
            f"no AWS credentials for the stack {settings.stack} (account {settings.account_id}); get them by "
            "`aws configure sso` or in the environment"
        ) from error
    if identity["Account"] != settings.account_id:
        raise NotConnectedError(
            f"the credentials are of account {identity['Account']}, but Pulumi.{settings.stack}.yaml says that the "
            f"stack is in {settings.account_id}; use credentials of that account"
        )
