"""`drivetrain ci`: the small steps of the workflows in .github/workflows, which print what GitHub reads.

They are commands, and not lines of shell in YAML, so that they are typed, tested, and work on a desk as well.
"""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.accounts import account_of
from cli.connection import DEFAULT_REHEARSAL
from cli.later import later
from cli.output import console
from delivery.aws_session import aws_session
from delivery.images import build_plan as building
from delivery.stacks import drift
from delivery.workflows import deployed as deployments
from delivery.workflows.github import GitHub, merged_reports
from delivery.workflows.release_request import propose_release
from delivery.workflows.workflow import (
    Role,
    WorkflowError,
    check_repository,
    connection_outputs,
    failure_advice,
    is_unready,
    missing_message,
    run_url,
    unready_report,
    write_summary,
)
from infra.settings import Settings, load_settings
from infra.sources import project_directory

app = typer.Typer(
    cls=later({"report": "cli.report:report"}),
    help="The steps of the workflows: what they print, GitHub reads.",
    no_args_is_help=True,
)

StackArgument = Annotated[str, typer.Argument(help="Which stack, as in Pulumi.<stack>.yaml.")]
ReportsOption = Annotated[Path, typer.Option("--reports", help="The folder with one <stack>.md for each stack.")]
ExpectOption = Annotated[str, typer.Option("--expect", help="The stacks whose reports there should be, with commas.")]
PREVIEW_MARK, DRIFT_MARK = "preview", "drift"


@app.command()
def settings(
    stack: StackArgument,
    role: Annotated[Role, typer.Option("--role", help="deploy, or preview, which may only look.")] = "preview",
) -> None:
    """Print role, region, account and registry of a stack, as a step's outputs."""
    found = load_settings(project_directory(), stack)
    check_repository(found, os.environ)
    _print_outputs(connection_outputs(found, role, project_directory()))


@app.command()
def require(
    names: Annotated[list[str], typer.Argument(help="Variables that have to be set.")],
    purpose: Annotated[str, typer.Option("--purpose", help="What they are needed for.")] = "by this workflow",
) -> None:
    """Fail unless every variable holds something, and say where the missing ones are set."""
    if message := missing_message(names, os.environ, purpose):
        _annotate(message)
        raise WorkflowError(message)


@app.command()
def since(stack: StackArgument) -> None:
    """Print the range of commits that this checkout brings to the stack, as a step's output."""
    found = load_settings(project_directory(), stack)
    noted = deployments.read_deployed(_s3(found), found.names.bucket("artifacts"))
    try:
        _print_outputs({"commits": deployments.commits_since(project_directory(), stack, noted)})
    except WorkflowError as error:
        _annotate(str(error))
        raise


@app.command()
def deployed(stack: StackArgument) -> None:
    """Note that the stack was deployed from this commit, and proven."""
    found = load_settings(project_directory(), stack)
    commit = os.environ.get("GITHUB_SHA") or "HEAD"
    note = deployments.Deployed(commit=deployments.commit_id(project_directory(), commit), run=run_url())
    deployments.note_deployed(_s3(found), found.names.bucket("artifacts"), note)
    _say(f"**{stack}** holds {note.commit[:12]}, deployed and proven.")


@app.command()
def failed(stack: StackArgument) -> None:
    """Say on the run's page what to do about a deployment that stopped."""
    _say(failure_advice(stack, os.environ))


@app.command()
def unready(
    stack: StackArgument,
    out: Annotated[Path | None, typer.Option("--out", help="Write it here too, as the stack's report.")] = None,
) -> None:
    """Say on the run's page that the stack is not bootstrapped yet, so that nothing was done."""
    text = unready_report(stack)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
    _say(text)


@app.command()
def images(stack: StackArgument) -> None:
    """Print which images have to be built or signed, as a step's outputs."""
    plan = building.build_plan(account_of(stack, DEFAULT_REHEARSAL), project_directory())
    _print_outputs(plan.outputs)


@app.command()
def provenance() -> None:
    """Print where what this run builds comes from, as SLSA provenance."""
    sys.stdout.write(json.dumps(building.provenance(_repository()), indent=2) + "\n")


@app.command()
def comment(number: int, reports: ReportsOption, expect: ExpectOption) -> None:
    """Write the one comment of a pull request's preview, or edit it."""
    sections = [
        text if text is not None else f"## {stack}\n\nNo preview: its job failed, see {run_url() or 'the run'}.\n"
        for stack, text in merged_reports(reports, expect.split(",")).items()
    ]
    done = GitHub(repository=_repository()).upsert_comment(number, PREVIEW_MARK, "\n".join(sections))
    console.print(f"the comment of #{number} was {done}", markup=False)


@app.command()
def issue(reports: ReportsOption, expect: ExpectOption) -> None:
    """Open or edit the one issue about drift, or close it where there is none."""
    found = merged_reports(reports, expect.split(","))
    github = GitHub(repository=_repository())
    drifted = [stack for stack, text in found.items() if text is None or not (drift.is_clean(text) or is_unready(text))]
    if not drifted:
        closed = github.close_issue(DRIFT_MARK, f"Everything is as declared again: {run_url()}")
        console.print("no drift; the issue is closed" if closed else "no drift", markup=False)
        return
    sections = [text or f"### {stack}: not known, its job failed: {run_url()}\n" for stack, text in found.items()]
    title = f"What lives is not what git says: {', '.join(drifted)}"
    done = github.upsert_issue(DRIFT_MARK, title, "\n".join([*sections, drift.ADVICE]))
    console.print(f"the issue was {done}: {title}", markup=False)


@app.command()
def propose(model: Annotated[str, typer.Argument(help="The model that is released.")]) -> None:
    """Commit the release files by a pull request of the GitHub App, which merges itself when green."""
    if message := missing_message(["GH_TOKEN"], os.environ, "to push the release"):
        raise WorkflowError(message)
    project_dir = project_directory()
    repository = _repository()
    address = propose_release(
        project_dir,
        project_dir / "releases",
        model,
        github=GitHub(repository=repository),
        remote=f"{os.environ.get('GITHUB_SERVER_URL', 'https://github.com')}/{repository}",
        token=os.environ["GH_TOKEN"],
    )
    _say(f"{model} is proposed: {address}" if address else f"{model} is released so already: nothing to propose.")


def _s3(found: Settings) -> Any:
    return aws_session(region_name=found.region).client("s3")


def _repository() -> str:
    repository = os.environ.get("GITHUB_REPOSITORY", "")
    if not repository:
        raise WorkflowError("GITHUB_REPOSITORY is not set; on a desk: export GITHUB_REPOSITORY=ORG/REPO")
    return repository


def _print_outputs(outputs: dict[str, str]) -> None:
    sys.stdout.write("".join(f"{name}={value}\n" for name, value in outputs.items()))


def _say(text: str) -> None:
    write_summary(text)
    console.print(text, markup=False)


def _annotate(message: str) -> None:
    """What stands at the top of the run's page, not only in the log of a step."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        sys.stderr.write(f"::error::{message}\n")
