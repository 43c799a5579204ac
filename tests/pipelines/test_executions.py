"""Starting and following an execution, on moto's own States Language interpreter."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from pipelines.executions import ExecutionError, StepDone, execution_arns, follow, newest_over, start, wait_for_start

ROLE = "arn:aws:iam::123456789012:role/pipeline"
GOOD = {
    "StartAt": "First",
    "States": {"First": {"Type": "Pass", "Next": "Last"}, "Last": {"Type": "Pass", "End": True}},
}
BAD = {
    "StartAt": "First",
    "States": {
        "First": {"Type": "Pass", "Next": "Stop"},
        "Stop": {"Type": "Fail", "Error": "TrainingFailed", "Cause": json.dumps({"FailureReason": "loss is NaN"})},
    },
}


@pytest.fixture
def states(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        session: Any = boto3.Session(region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
        yield session.client("stepfunctions")


def machine(states: Any, definition: object) -> str:
    return states.create_state_machine(name="m", definition=json.dumps(definition), roleArn=ROLE)["stateMachineArn"]


def test_each_step_is_told_once_and_the_input_arrives(states: Any) -> None:
    told: list[StepDone] = []
    outcome = follow(states, start(states, machine(states, GOOD), prefix="auto-mpg/", force=True), told.append)
    assert outcome.succeeded
    assert outcome.reason == ""
    assert outcome.output == {"prefix": "auto-mpg/", "force": True}
    assert [step.name for step in told] == ["First", "Last"]
    assert all(step.seconds >= 0 for step in told)


def test_a_failure_says_the_jobs_own_reason(states: Any) -> None:
    outcome = follow(states, start(states, machine(states, BAD), prefix="", force=False), lambda _step: None)
    assert not outcome.succeeded
    assert outcome.status == "FAILED"
    assert outcome.reason == "TrainingFailed: loss is NaN"


def test_a_job_past_its_limit_is_told_with_the_limit(states: Any) -> None:
    job = {
        "TrainingJobStatus": "Stopped",
        "SecondaryStatus": "MaxRuntimeExceeded",
        "SecondaryStatusTransitions": [
            {"Status": "Training", "StatusMessage": "Training the model"},
            {"Status": "MaxRuntimeExceeded", "StatusMessage": "Training job runtime exceeded its limit"},
        ],
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }
    failed = {"Type": "Fail", "Error": "TrainFailed", "Cause": json.dumps(job)}
    arn = start(states, machine(states, {"StartAt": "Stop", "States": {"Stop": failed}}), prefix="", force=False)
    outcome = follow(states, arn, lambda _step: None)
    assert outcome.reason == (
        "TrainFailed: the training job was stopped: MaxRuntimeExceeded, "
        'Training job runtime exceeded its limit, {"MaxRuntimeInSeconds": 60}'
    )


def test_an_execution_that_an_event_started_is_found(states: Any) -> None:
    arn = machine(states, GOOD)
    first = start(states, arn, prefix="", force=False)
    known = set(execution_arns(states, arn))
    assert known == {first}
    second = start(states, arn, prefix="", force=False)
    assert wait_for_start(states, arn, known=known) == second


def test_an_execution_over_other_data_is_not_taken_for_this_files(states: Any) -> None:
    arn = machine(states, GOOD)
    known = {start(states, arn, prefix="auto-mpg/mine.csv", force=False)}
    mine = start(states, arn, prefix="auto-mpg/mine.csv", force=False)
    start(states, arn, prefix="auto-mpg/theirs.csv", force=False)
    states.start_execution(stateMachineArn=arn)
    assert wait_for_start(states, arn, known=known, prefix="auto-mpg/mine.csv") == mine
    with pytest.raises(ExecutionError, match="no execution of m started"):
        wait_for_start(states, arn, known=known, prefix="auto-mpg/nobodys.csv", timeout_s=0.01)


def test_the_newest_execution_over_a_file_is_found(states: Any) -> None:
    arn = machine(states, GOOD)
    assert newest_over(states, arn, "auto-mpg/mine.csv") is None
    start(states, arn, prefix="auto-mpg/mine.csv", force=False)
    second = start(states, arn, prefix="auto-mpg/mine.csv", force=False)
    start(states, arn, prefix="auto-mpg/", force=False)
    assert newest_over(states, arn, "auto-mpg/mine.csv") == second
    assert newest_over(states, arn, "auto-mpg/theirs.csv") is None


def test_waiting_for_an_execution_that_never_starts_ends(states: Any) -> None:
    with pytest.raises(ExecutionError, match=r"no execution of m started within 0 s.*EventBridge"):
        wait_for_start(states, machine(states, GOOD), known=set(), timeout_s=0.01)
