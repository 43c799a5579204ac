"""The accounts of commands that work on two stacks: a rehearsal's own credentials where it holds the stack, else AWS
profiles.

A profile called like the stack is taken for it; a job of continuous delivery has one per role that it may assume.
"""

from typing import Annotated

import typer

from cli.connection import server_holds, state_directory
from delivery.aws_session import aws_session
from delivery.releases.accounts import Account, open_account
from infra.settings import Settings, load_settings
from infra.sources import project_directory
from rehearsal import server
from rehearsal.server import Rehearsal

FromOption = Annotated[str, typer.Option("--from", help="The stack that it comes from.")]
ToOption = Annotated[str, typer.Option("--to", help="The stack that it goes to.")]
FromProfileOption = Annotated[
    str | None,
    typer.Option("--from-profile", help="AWS profile of the first account; if unset the one called like the stack."),
]
ToProfileOption = Annotated[
    str | None,
    typer.Option("--to-profile", help="AWS profile of the second account; if unset the one called like the stack."),
]


def account_of(stack: str, rehearsal_name: str, profile: str | None = None) -> Account:
    """The account that holds `stack`: a running rehearsal's, else that of the profile, else of the environment."""
    project_dir = project_directory()
    settings = load_settings(project_dir, stack)
    state_dir = state_directory(project_dir, rehearsal_name)
    running = server.running(state_dir) if profile is None else None
    if running is not None and server_holds(state_dir, stack):
        return rehearsed_account(settings, running)
    known: list[str] = aws_session().available_profiles
    chosen = profile or (stack if stack in known else None)
    return open_account(settings, project_dir / settings.releases / f"{stack}.toml", chosen)


def rehearsed_account(settings: Settings, running: Rehearsal) -> Account:
    """The stack's account in a rehearsal, by the credentials of its administrator."""
    environment = running.environment(settings.account_id, settings.region)
    return Account(
        settings=settings,
        releases_file=running.state_dir / "releases" / f"{settings.stack}.toml",
        session=aws_session(
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
            region_name=settings.region,
        ),
        endpoint_url=environment["AWS_ENDPOINT_URL"],
    )
