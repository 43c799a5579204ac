"""`drivetrain drift`: whether what lives is what git says."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cli.ci import StackArgument
from cli.output import console
from delivery import drift as drifting
from delivery.backend import backend_url
from delivery.hours import STOPPED_TYPES, is_open
from delivery.pulumi import PulumiStack
from delivery.workflow import write_summary
from infra.settings import load_settings
from infra.sources import project_directory

OutOption = Annotated[Path | None, typer.Option("--out", help="Also write what was found to this file, as Markdown.")]
FailOption = Annotated[bool, typer.Option("--fail", help="Exit with 1 when something differs.")]


def drift(stack: StackArgument, out: OutOption = None, fail: FailOption = False) -> None:
    """Compare what lives with what is declared: a preview after a refresh, which changes nothing."""
    project_dir = project_directory()
    settings = load_settings(project_dir, stack)
    environment = {**os.environ, "PULUMI_BACKEND_URL": backend_url(settings)}
    found = drifting.drift_of(
        PulumiStack(project_dir=project_dir, name=stack, environment=environment).preview(refresh=True)
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
