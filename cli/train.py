"""`drivetrain ingest` and `drivetrain train`: data in, and the pipeline started by hand."""

from pathlib import Path
from typing import Annotated

import typer

from cli import landing
from cli.connection import (
    DEFAULT_REHEARSAL,
    LOCAL_STACK,
    Connection,
    JsonOption,
    ModelArgument,
    RehearsalOption,
    StackOption,
    connect,
)
from cli.output import console, print_json, stage
from cli.pipeline_progress import follow
from models.spec import ModelSpec
from pipelines import executions
from pipelines.executions import Outcome

FilesArgument = Annotated[
    list[Path],
    typer.Argument(help="CSV, JSON-lines (.jsonl) or Parquet files.", exists=True, dir_okay=False, readable=True),
]


def ingest(
    model: ModelArgument,
    files: FilesArgument,
    stack: StackOption = LOCAL_STACK,
    name: RehearsalOption = DEFAULT_REHEARSAL,
) -> None:
    """Put FILES into the landing bucket; each arrival starts the model's pipeline, which is followed here."""
    connection = connect(stack, name)
    spec = connection.spec(model)
    states = connection.client("stepfunctions")
    machine = connection.names.state_machine_arn(spec.name)
    for file in files:
        known = set(executions.execution_arns(states, machine))
        body = file.read_bytes()
        with stage(f"land {file.name}") as step:
            key = landing.landing_key(spec, file.name, body)
            fresh = landing.land(connection, key, body)
            step.outcome = f"s3://{connection.names.bucket('landing')}/{key}" + ("" if fresh else " (was there)")
        if fresh:
            _follow(connection, spec, executions.wait_for_start(states, machine, known=known))


def train(
    model: ModelArgument,
    stack: StackOption = LOCAL_STACK,
    name: RehearsalOption = DEFAULT_REHEARSAL,
    as_json: JsonOption = False,
) -> None:
    """Run the model's pipeline over everything that landed, also when nothing is new."""
    connection = connect(stack, name)
    spec = connection.spec(model)
    states = connection.client("stepfunctions")
    arn = executions.start(states, connection.names.state_machine_arn(spec.name), prefix=f"{spec.name}/", force=True)
    if as_json:
        outcome = executions.follow(states, arn, lambda _step: None)
        print_json({"execution": arn, "status": outcome.status, "reason": outcome.reason, "seconds": outcome.seconds})
        raise typer.Exit(0 if outcome.succeeded else 1)
    _follow(connection, spec, arn)
    console.print(f"release it with: drivetrain releases adopt {spec.name} --stack {stack}", markup=False)


def _follow(connection: Connection, spec: ModelSpec, arn: str) -> Outcome:
    with stage(f"run the pipeline of {spec.name}") as step:
        outcome = follow(connection, spec, arn, step)
        step.outcome = f"execution {outcome.name}"
    return outcome
