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
from delivery.releases import proposals
from delivery.releases.adoption import adopt as adopt_proposal
from delivery.releases.adoption import check_proposal, choose
from delivery.releases.check import RefusedReleaseError, check_file
from infra.sources import project_directory
from models.release import ReleaseError, load_releases
from models.spec import discover, find_spec

app = typer.Typer(help="What is live, what is proposed, and making a proposal live.", no_args_is_help=True)

ReleasedModelArgument = Annotated[str | None, typer.Argument(help="Only this model; all that are released if unset.")]
ExecutionOption = Annotated[
    str, typer.Option("--execution", help="The execution that proposed it; the newest if unset.")
]
VerifiedExecutionOption = Annotated[
    str | None,
    typer.Option("--execution", help="Check what this execution proposes instead; the newest proposal if empty."),
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
    spec, account = connection.spec(model), account_of(stack, name)
    proposal = choose(account, spec.name, execution)
    changed = adopt_proposal(account, spec, proposal)
    console.print(
        f"{account.origin} {'now holds' if changed else 'already held'} {proposal.release.package}", markup=False
    )
    if connection.rehearsal is None:
        console.print("commit it: the merge makes it live", markup=False)
        return
    deploy_rehearsed(connection.settings, connection.rehearsal, "deploy the release")


@app.command()
def verify(
    model: ReleasedModelArgument = None,
    execution: VerifiedExecutionOption = None,
    stack: StackOption = LOCAL_STACK,
    name: RehearsalOption = DEFAULT_REHEARSAL,
) -> None:
    """Check what is released, or one proposal: signature, sha256, package, image, gates. All that is wrong is said."""
    account, models_dir = account_of(stack, name), project_directory() / "models"
    if execution is None:
        models, findings = check_file(account, models_dir, model)
        if not models:
            console.print(f"{account.origin}: nothing is released", markup=False)
            return
        said = f"{account.origin}: {', '.join(models)}"
    else:
        if model is None:
            raise ReleaseError("--execution needs a model: drivetrain releases verify MODEL --execution …")
        proposal = choose(account, find_spec(models_dir, model).name, execution)
        findings = check_proposal(account, find_spec(models_dir, model), proposal)
        said = proposal.location
    if findings:
        raise RefusedReleaseError(findings)
    console.print(f"{said}: every check passed", markup=False)
