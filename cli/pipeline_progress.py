"""Following a pipeline on screen, one line per step."""

from cli.connection import Connection
from cli.output import Stage
from models.spec import ModelSpec
from pipelines import executions
from pipelines.executions import ExecutionError, Outcome, StepDone

_SHOWN_FROM_S = 0.2


def follow(connection: Connection, spec: ModelSpec, arn: str, running: Stage) -> Outcome:
    """Wait for the execution and print each step that did real work; ExecutionError with the reason when it failed."""

    def show(step: StepDone) -> None:
        if step.seconds >= _SHOWN_FROM_S:
            running.note(f"{step.name} {step.seconds:.1f} s")

    outcome = executions.follow(connection.client("stepfunctions"), arn, show)
    if not outcome.succeeded:
        raise ExecutionError(
            f"the pipeline of {spec.name} {outcome.status.lower()} in execution {outcome.name}: {outcome.reason}\n"
            f"its logs: drivetrain logs {spec.name} --stack {connection.settings.stack}"
        )
    return outcome
