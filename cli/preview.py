"""`drivetrain preview`: what an apply would change in a stack, for people and as the document for the gate."""

import os
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from cli.connection import DEFAULT_REHEARSAL, RehearsalOption
from cli.output import console
from cli.places import StackPlace, find_place
from delivery.pulumi.backend import BACKEND_VARIABLE, backend_url
from delivery.pulumi.command import PulumiStack
from delivery.pulumi.preview import parse_preview

StackArgument = Annotated[str, typer.Argument(help="A stack, as in Pulumi.<stack>.yaml.")]
FileOption = Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write Pulumi's document there.")]
RefreshOption = Annotated[bool, typer.Option("--refresh", help="Read back first what AWS holds, so that drift shows.")]


def preview(
    stack: StackArgument,
    file: FileOption = None,
    refresh: RefreshOption = False,
    name: RehearsalOption = DEFAULT_REHEARSAL,
) -> None:
    """Show what an apply would change; nothing is touched, and read rights are enough."""
    text = pulumi_stack(find_place(stack, name)).preview_json(refresh=refresh)
    found = parse_preview(text, f"the preview of {stack}")
    if file is not None:
        file.write_text(text, encoding="utf-8")
    for step in found.changes:
        because = f" because of {', '.join(step.replace_reasons or step.changed)}" if step.changed else ""
        console.print(f"{step.op:<8} {step.type} {step.name}{because}", markup=False)
    counted = Counter(step.op for step in found.changes)
    summary = ", ".join(f"{count} to {op}" for op, count in sorted(counted.items())) or "nothing changes"
    console.print(f"{stack}: {summary}; {len(found.steps) - len(found.changes)} stay as they are", markup=False)


def pulumi_stack(place: StackPlace) -> PulumiStack:
    """The stack as the `pulumi` command knows it."""
    return PulumiStack(
        project_dir=place.connection.project_dir,
        name=place.stack,
        config_file=place.config_file,
        environment={**os.environ, BACKEND_VARIABLE: backend_url(place.connection.settings)},
    )
