"""`drivetrain report`: what a preview changes, the gate's verdict on it and its cost, as Markdown for a comment."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.gate import judged
from delivery.cost import before_and_after, load_prices, machines_in
from delivery.pulumi.preview import parse_preview
from delivery.workflows.report import report as written
from infra.sources import project_directory

StackArgument = Annotated[str, typer.Argument(help="The stack that was previewed.")]
PreviewOption = Annotated[Path, typer.Option("--preview", help="What `pulumi preview --json --show-sames` wrote.")]
CommitsOption = Annotated[
    str, typer.Option("--commits", "--commit", help="BASE..HEAD: commits whose messages may allow what is stopped.")
]
OutOption = Annotated[Path | None, typer.Option("--out", help="Write it there, and not to standard output.")]


def report(stack: StackArgument, preview: PreviewOption, commits: CommitsOption = "", out: OutOption = None) -> None:
    """Write what changes, the gate's verdict and the cost; exit 1 when the gate stops it, after it is written."""
    found = parse_preview(preview.read_text(encoding="utf-8"), str(preview))
    project_dir = project_directory()
    verdict = judged(project_dir, found, stack=stack, commits=commits)
    costs = before_and_after(found, load_prices(), machines=machines_in(project_dir / "models"))
    text = written(stack, found, verdict, *costs)
    if out is None:
        sys.stdout.write(text)
    else:
        out.write_text(text, encoding="utf-8")
    if not verdict.passed:
        raise typer.Exit(1)
