"""`drivetrain ingest`: files into the landing bucket, and what the pipeline that this starts makes of them."""

from pathlib import Path
from typing import Annotated

import typer

from cli import landing
from cli.connection import (
    DEFAULT_REHEARSAL,
    LOCAL_STACK,
    Connection,
    ModelArgument,
    RehearsalOption,
    StackOption,
    connect,
)
from cli.output import console, stage
from cli.pipeline_progress import follow
from models.spec import ModelSpec
from pipelines import executions
from pipelines.executions import ExecutionError
from pipelines.ingested import Ingested, ingested

FilesArgument = Annotated[
    list[Path],
    typer.Argument(help="CSV, JSON-lines (.jsonl) or Parquet files.", exists=True, dir_okay=False, readable=True),
]


class NothingTakenError(Exception):
    """Files of which no row is in the table; the message says why."""


def ingest(
    model: ModelArgument,
    files: FilesArgument,
    stack: StackOption = LOCAL_STACK,
    name: RehearsalOption = DEFAULT_REHEARSAL,
) -> None:
    """Put FILES into the landing bucket; each arrival starts the model's pipeline, which is followed here.

    A file that landed before is not put again, but its pipeline is started again, so that what failed is made good.
    Exit code 1 when a file held nothing that could be taken, or when its pipeline failed.
    """
    connection = connect(stack, name)
    spec = connection.spec(model)
    useless = [reason for file in files if (reason := _ingest(connection, spec, file))]
    if useless:
        all_reasons = f"all that is in quarantine: drivetrain data {spec.name} --stack {stack}"
        raise NothingTakenError("\n".join([*useless, all_reasons]))


def _ingest(connection: Connection, spec: ModelSpec, file: Path) -> str:
    """Land one file and follow its pipeline; what to say when nothing of it was taken, else empty."""
    states = connection.client("stepfunctions")
    machine = connection.names.state_machine_arn(spec.name)
    known = set(executions.execution_arns(states, machine))
    s3, artifacts = connection.client("s3"), connection.names.bucket("artifacts")
    body = file.read_bytes()
    with stage(f"land {file.name}") as step:
        key = landing.landing_key(spec, file.name, body)
        uri = f"s3://{connection.names.bucket('landing')}/{key}"
        fresh = landing.land(connection, key, body)
        step.outcome = uri if fresh else f"{uri} (was there)"
    if fresh:
        arn = executions.wait_for_start(states, machine, known=known, prefix=key)
    else:
        arn = _again(connection, spec, key, uri)
    failure: ExecutionError | None = None
    try:
        with stage(f"run the pipeline of {spec.name}") as step:
            step.outcome = f"execution {follow(connection, spec, arn, step).name}"
    except ExecutionError as error:
        failure = error
    found = ingested(s3, artifacts, spec.name, arn.rsplit(":", 1)[-1], uri)
    if found is not None and found.nothing_good:
        return f"nothing of {file.name} was taken: {'; '.join(found.reasons)}"
    if found is not None:
        _tell(found)
    if failure is not None:
        raise failure
    return ""


def _again(connection: Connection, spec: ModelSpec, key: str, uri: str) -> str:
    """The execution over what landed before: the one that still runs, else a new one."""
    states = connection.client("stepfunctions")
    machine = connection.names.state_machine_arn(spec.name)
    earlier = executions.newest_over(states, machine, key)
    if earlier is None:
        return executions.start(states, machine, prefix=key, force=False)
    status = states.describe_execution(executionArn=earlier)["status"]
    if status == "RUNNING":
        return earlier
    # Where rows were taken and a later step failed, nothing is new to the table, and without force nothing is trained.
    name, artifacts = earlier.rsplit(":", 1)[-1], connection.names.bucket("artifacts")
    found = ingested(connection.client("s3"), artifacts, spec.name, name, uri)
    force = status != "SUCCEEDED" and not (found is not None and found.nothing_good)
    return executions.start(states, machine, prefix=key, force=force)


def _tell(found: Ingested) -> None:
    counts = f"{found.rows_added} rows added, {found.rows_unchanged} were there, {found.rows_quarantined} in quarantine"
    console.print(f"    {counts}", markup=False)
    for reason in found.reasons:
        console.print(f"      {reason}", markup=False)
