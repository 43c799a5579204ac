"""`drivetrain gate`: what a preview would destroy, open or weaken, and whether the commits allow it."""

import os
from pathlib import Path
from typing import Annotated

import typer

from cli.connection import JsonOption
from cli.output import console, print_json
from delivery.gate import Verdict, check, parse_allowances, read_allowances
from delivery.pulumi.backend import BACKEND_VARIABLE, backend_url
from delivery.pulumi.command import PulumiStack
from delivery.pulumi.preview import Preview, parse_preview
from delivery.stacks.previews import preview_document
from delivery.stacks.scopes import stacks_of
from infra.model_folders import model_names
from infra.policies import load_exemptions
from infra.scope import environment_of
from infra.settings import environments, load_settings, stack_file
from infra.sources import project_directory

FileArgument = Annotated[
    Path | None, typer.Argument(help="What `drivetrain preview STACK --json FILE` or `pulumi preview --json` wrote.")
]
StackOption = Annotated[str, typer.Option("--stack", help="Preview this stack now, instead of reading a file.")]
CommitsOption = Annotated[
    str, typer.Option("--commits", "--commit", help="BASE..HEAD: commits whose messages may allow what is stopped.")
]
MessageOption = Annotated[
    Path | None, typer.Option("--message-file", help="A message with such lines that is not committed yet.")
]


def gate(
    file: FileArgument = None,
    stack: StackOption = "",
    commits: CommitsOption = "",
    message_file: MessageOption = None,
    as_json: JsonOption = False,
) -> None:
    """Judge a preview; exit 1 when it is stopped. docs/delivery-gate.md has the rules and the lines that allow."""
    if (file is None) == (not stack):
        raise typer.BadParameter("give either a FILE or --stack STACK", param_hint="FILE")
    preview = _preview_of(stack) if file is None else parse_preview(file.read_text(encoding="utf-8"), str(file))
    verdict = judged(project_directory(), preview, stack=stack, commits=commits, message_file=message_file)
    if as_json:
        print_json(verdict.to_json())
    else:
        console.print(verdict.text, markup=False)
    if not verdict.passed:
        raise typer.Exit(1)


def judged(
    project_dir: Path, preview: Preview, *, stack: str = "", commits: str = "", message_file: Path | None = None
) -> Verdict:
    """The gate's verdict with the exemptions of this checkout and the allowances of the commits and the message."""
    allowances = read_allowances(project_dir, commits) if commits else ()
    if message_file is not None:
        allowances += parse_allowances(message_file.read_text(encoding="utf-8"), str(message_file))
    return check(preview, allowances, stack=stack, exemptions=load_exemptions())


def _preview_of(stack: str) -> Preview:
    project_dir = project_directory()
    environment = environment_of(stack, environments(project_dir))
    settings = load_settings(project_dir, environment)
    apart = stacks_of(settings, model_names(project_dir)).models.values() if stack == environment else ()
    first, *models = (
        PulumiStack(
            project_dir=project_dir,
            name=name,
            config_file=stack_file(project_dir, environment),
            environment={**os.environ, BACKEND_VARIABLE: backend_url(settings)},
        )
        for name in (stack, *apart)
    )
    return parse_preview(preview_document(first, models), f"the preview of {stack}")
