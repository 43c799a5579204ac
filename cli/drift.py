"""`drivetrain drift`: whether what lives is what git says."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cli.ci import StackArgument
from cli.output import console
from delivery.endpoints.hours import STOPPED_TYPES, is_open
from delivery.pulumi.backend import BACKEND_VARIABLE, backend_url
from delivery.pulumi.command import PulumiStack
from delivery.stacks import drift as drifting
from delivery.stacks.scopes import stacks_of
from delivery.workflows.workflow import write_summary
from infra.model_folders import model_names
from infra.settings import Settings, load_settings, stack_file
from infra.sources import project_directory

OutOption = Annotated[Path | None, typer.Option("--out", help="Also write what was found to this file, as Markdown.")]
FailOption = Annotated[bool, typer.Option("--fail", help="Exit with 1 when something differs.")]


def drift(stack: StackArgument, out: OutOption = None, fail: FailOption = False) -> None:
    """Compare what lives with what is declared: a preview after a refresh, which changes nothing."""
    project_dir = project_directory()
    settings = load_settings(project_dir, stack)
    stacks = stacks_of(settings, model_names(project_dir))
    found = tuple(
        each
        for name in (stacks.platform, *stacks.models.values())
        for each in drifting.drift_of(_pulumi_stack(project_dir, settings, name).preview(refresh=True))
    )
    hours = settings.endpoint.hours
    if hours is not None and not is_open(hours, datetime.now(UTC)):
        found = tuple(each for each in found if each.operation != "create" or each.type not in STOPPED_TYPES)
    text = drifting.report(stack, found)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
    write_summary(text)
    console.print(text, markup=False)
    if found and fail:
        raise typer.Exit(1)


def _pulumi_stack(project_dir: Path, settings: Settings, name: str) -> PulumiStack:
    """One of the environment's stacks, which share its file."""
    return PulumiStack(
        project_dir=project_dir,
        name=name,
        config_file=stack_file(project_dir, settings.stack),
        environment={**os.environ, BACKEND_VARIABLE: backend_url(settings)},
    )
