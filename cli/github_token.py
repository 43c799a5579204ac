"""`drivetrain github-token`: the token that lets a stack start the release workflow."""

import sys

import typer

from cli.connection import DEFAULT_REHEARSAL, RehearsalOption, connect
from cli.output import console
from cli.verify import StackArgument
from delivery.releases.announcement import hand_over


def github_token(stack: StackArgument, name: RehearsalOption = DEFAULT_REHEARSAL) -> None:
    """Hand a token from standard input to EventBridge, so that proposed releases reach GitHub (`contents: write`)."""
    connection = connect(stack, name)
    token = typer.prompt("token", hide_input=True) if sys.stdin.isatty() else sys.stdin.read()
    secret = hand_over(connection.client("events"), connection.names, token.strip())
    console.print(
        f"releases that the stack {stack} proposes are announced; the token is kept in {secret}", markup=False
    )
