"""`drivetrain preview`: what an apply would change in a stack, for people and as the document for the gate.

With `scope: models`, an environment's name stands for all its stacks, in one document.
"""

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
from delivery.stacks.previews import preview_document
from delivery.stacks.scopes import stacks_of
from infra.model_folders import model_names

StackArgument = Annotated[str, typer.Argument(help="A stack, as in Pulumi.<stack>.yaml.")]
FileOption = Annotated[
    Path | None,
    typer.Option("--json", metavar="FILE", help="Write Pulumi's document there; of several stacks, theirs in one."),
]
RefreshOption = Annotated[bool, typer.Option("--refresh", help="Read back first what AWS holds, so that drift shows.")]


def preview(
    stack: StackArgument,
    file: FileOption = None,
    refresh: RefreshOption = False,
    name: RehearsalOption = DEFAULT_REHEARSAL,
) -> None:
    """Show what an apply would change; nothing is touched, and read rights are enough."""
    text = preview_text(find_place(stack, name), refresh=refresh)
    found = parse_preview(text, f"the preview of {stack}")
    if file is not None:
        file.write_text(text, encoding="utf-8")
    for step in found.changes:
        because = f" because of {', '.join(step.replace_reasons or step.changed)}" if step.changed else ""
        console.print(f"{step.op:<8} {step.type} {step.name}{because}", markup=False)
    for left, reason in found.left_out.items():
        console.print(f"{left}: {reason}", markup=False)
    counted = Counter(step.op for step in found.changes)
    summary = ", ".join(f"{count} to {op}" for op, count in sorted(counted.items())) or "nothing changes"
    console.print(f"{stack}: {summary}; {len(found.steps) - len(found.changes)} stay as they are", markup=False)


def preview_text(place: StackPlace, *, refresh: bool = False) -> str:
    """The document of the stack, or of all the environment's stacks where it stands for them."""
    first, *models = (pulumi_stack(place, each) for each in names_of_stacks(place))
    return preview_document(first, models, refresh=refresh)


def names_of_stacks(place: StackPlace) -> tuple[str, ...]:
    """Every stack that the place's name stands for, the platform's first."""
    if place.stack != place.environment:
        return (place.stack,)
    stacks = stacks_of(place.connection.settings, model_names(place.connection.project_dir))
    return (stacks.platform, *stacks.models.values())


def pulumi_stack(place: StackPlace, name: str = "") -> PulumiStack:
    """The stack as the `pulumi` command knows it; with `name`, another of its environment."""
    return PulumiStack(
        project_dir=place.connection.project_dir,
        name=name or place.stack,
        config_file=place.config_file,
        environment={**os.environ, BACKEND_VARIABLE: backend_url(place.connection.settings)},
    )
