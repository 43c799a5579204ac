"""`drivetrain data`: the versions of a model's table, its columns and what was refused."""

from typing import Annotated

import typer

from cli.connection import (
    DEFAULT_REHEARSAL,
    LOCAL_STACK,
    JsonOption,
    ModelArgument,
    RehearsalOption,
    StackOption,
    connect,
)

SnapshotOption = Annotated[str, typer.Option("--snapshot", help="A version's id; the newest if unset.")]


def data(
    model: ModelArgument,
    snapshot: SnapshotOption = "",
    stack: StackOption = LOCAL_STACK,
    name: RehearsalOption = DEFAULT_REHEARSAL,
    as_json: JsonOption = False,
) -> None:
    """Show the snapshots, rows, quarantine reasons and column statistics of the model's table."""
    connection = connect(stack, name)
    spec = connection.spec(model)
    from cli.data_report import show_report  # noqa: PLC0415 - two seconds that only this command needs

    show_report(connection, spec, snapshot or None, as_json=as_json)
