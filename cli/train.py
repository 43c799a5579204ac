"""`drivetrain train`: the pipeline started by hand."""

import typer

from cli.connection import (
    DEFAULT_REHEARSAL,
    LOCAL_STACK,
    JsonOption,
    ModelArgument,
    RehearsalOption,
    StackOption,
    connect,
)
from cli.output import console, print_json, stage
from cli.pipeline_progress import follow
from pipelines import executions


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
    with stage(f"run the pipeline of {spec.name}") as step:
        step.outcome = f"execution {follow(connection, spec, arn, step).name}"
    console.print(f"release it with: drivetrain releases adopt {spec.name} --stack {stack}", markup=False)
