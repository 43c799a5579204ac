"""`drivetrain releases`: what is live in a stack, what training proposes, and making a proposal the release."""

from typing import Annotated

import typer

from cli.accounts import account_of
from cli.connection import (
    DEFAULT_REHEARSAL,
    LOCAL_STACK,
    JsonOption,
    ModelArgument,
    RehearsalOption,
    StackOption,
    connect,
)
from cli.deployment import deploy_rehearsed, import_program
from cli.output import console, print_json, print_table
from delivery.release_check import RefusedReleaseError, check_file
from infra.sources import project_directory
from models.release import ReleaseError, load_releases
from models.spec import discover
from pipelines import proposals

app = typer.Typer(help="What is live, what is proposed, and making a proposal live.", no_args_is_help=True)

ReleasedModelArgument = Annotated[str | None, typer.Argument(help="Only this model; all that are released if unset.")]
ExecutionOption = Annotated[
    str, typer.Option("--execution", help="The execution that proposed it; the newest if unset.")
]


@app.command("list")
def list_releases(
    stack: StackOption = LOCAL_STACK,
    name: RehearsalOption = DEFAULT_REHEARSAL,
    as_json: JsonOption = False,
) -> None:
    """Show the release of every model in the stack, and the proposals beside it."""
    connection = connect(stack, name)
    live = load_releases(connection.releases_file)
    s3, bucket = connection.client("s3"), connection.names.bucket("artifacts")
    found = {
        spec.name: proposals.list_proposals(s3, bucket, spec.name)
        for spec in discover(connection.project_dir / "models")
    }
    if as_json:
        print_json(
            {
                model: {
                    "live": live[model].model_dump() if model in live else None,
                    "proposals": [
                        {"execution": p.execution, "proposed_at": p.proposed_at.isoformat(), **p.release.model_dump()}
                        for p in proposed
                    ],
                }
                for model, proposed in found.items()
            }
        )
        return
    rows = [
        (
            model,
            "live" if live.get(model) == proposal.release else "proposed",
            proposal.release.package.rsplit("/", 1)[-1],
            proposal.release.snapshot,
            ", ".join(f"{metric} {value:.3g}" for metric, value in sorted(proposal.release.metrics.items())),
            proposal.execution,
        )
        for model, proposed in found.items()
        for proposal in proposed
    ]
    print_table(f"releases of {stack}", ("model", "state", "version", "snapshot", "metrics", "execution"), rows)


@app.command()
def adopt(
    model: ModelArgument,
    execution: ExecutionOption = "",
    stack: StackOption = LOCAL_STACK,
    name: RehearsalOption = DEFAULT_REHEARSAL,
) -> None:
    """Write a proposal into the release file after checking its artefact; in a rehearsal, deploy it at once.

    On AWS a commit of the file makes it live, and `git revert` takes it back.
    """
    connection = connect(stack, name)
    if connection.rehearsal is not None:
        import_program()
    spec = connection.spec(model)
    s3 = connection.client("s3")
    found = proposals.list_proposals(s3, connection.names.bucket("artifacts"), spec.name)
    matching = [proposal for proposal in found if execution in ("", proposal.execution)]
    if not matching:
        known = ", ".join(proposal.execution for proposal in found) or "none"
        raise ReleaseError(f"no proposal for {spec.name} from execution {execution or '(any)'}; proposals: {known}")
    changed = proposals.adopt(s3, connection.releases_file, spec.name, matching[0])
    console.print(
        f"{connection.releases_file.name} {'now holds' if changed else 'already held'} {matching[0].release.package}",
        markup=False,
    )
    if connection.rehearsal is None:
        console.print("commit it: the merge makes it live", markup=False)
        return
    deploy_rehearsed(connection.settings, connection.rehearsal, "deploy the release")


@app.command()
def verify(
    model: ReleasedModelArgument = None,
    stack: StackOption = LOCAL_STACK,
    name: RehearsalOption = DEFAULT_REHEARSAL,
) -> None:
    """Check what is released: signature, sha256, package, image, gates. Everything that is wrong is said at once."""
    account = account_of(stack, name)
    models, findings = check_file(account, project_directory() / "models", model)
    if findings:
        raise RefusedReleaseError(findings)
    console.print(f"{account.origin}: {', '.join(models) or 'nothing is released'}: every check passed", markup=False)
