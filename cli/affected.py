"""`drivetrain affected`: the stacks that the changes since a commit touch, for a person or for a workflow's matrix."""

from typing import Annotated

import typer

from cli.connection import JsonOption
from cli.output import print_json, print_table
from delivery.stacks.affected import affected as stacks_affected
from delivery.stacks.changes import changed_paths, environments
from infra.sources import project_directory
from models.spec import discover

SinceOption = Annotated[str, typer.Option("--since", help="The commit that is deployed now, such as HEAD~1 or a SHA.")]
OnlyOption = Annotated[str | None, typer.Option("--stack", "-s", help="Only this environment; all of them if unset.")]


def affected(since: SinceOption, stack: OnlyOption = None, as_json: JsonOption = False) -> None:
    """Show which stacks of which environment the commits since then touch."""
    project_dir = project_directory()
    found = stacks_affected(
        changed_paths(project_dir, since),
        environments(project_dir, since, stack),
        [spec.name for spec in discover(project_dir / "models")],
    )
    if as_json:
        print_json(found)
        return
    rows = [
        (environment, *(", ".join(stacks[kind]) or "-" for kind in ("platform", "models", "removed")))
        for environment, stacks in found.items()
    ]
    print_table(f"stacks touched since {since}", ("environment", "platform", "models", "folder gone"), rows)
