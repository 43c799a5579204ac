"""Starting a model's pipeline and following it, through Step Functions alone: the same here and on AWS."""

import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types_boto3_stepfunctions import SFNClient

_POLL_S = 0.5
# Each execution that is looked at is a call; one that lies further back was long ago.
_LOOKED_BACK = 100


class ExecutionError(Exception):
    """An execution did not start, or did not succeed; the message holds its reason."""


@dataclass(frozen=True, kw_only=True)
class StepDone:
    """A state of the machine that an execution has left."""

    name: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How an execution ended."""

    arn: str
    status: str
    seconds: float
    reason: str
    """Error and cause of an execution that did not succeed, else empty."""
    output: dict[str, Any]

    @property
    def succeeded(self) -> bool:
        """Whether the pipeline reached its end."""
        return self.status == "SUCCEEDED"

    @property
    def name(self) -> str:
        """The execution's name."""
        return self.arn.rsplit(":", 1)[-1]


def start(states: "SFNClient", machine_arn: str, *, prefix: str, force: bool) -> str:
    """Start the pipeline over what landed below `prefix`; `force` trains even when nothing is new. Returns its ARN."""
    answer = states.start_execution(
        stateMachineArn=machine_arn, name=str(uuid.uuid4()), input=json.dumps({"prefix": prefix, "force": force})
    )
    return answer["executionArn"]


def execution_arns(states: "SFNClient", machine_arn: str) -> list[str]:
    """The executions of the machine, newest first."""
    pages = states.get_paginator("list_executions").paginate(stateMachineArn=machine_arn)
    found = [execution for page in pages for execution in page["executions"]]
    return [execution["executionArn"] for execution in sorted(found, key=lambda e: e["startDate"], reverse=True)]


def newest_over(states: "SFNClient", machine_arn: str, prefix: str) -> str | None:
    """The newest execution, of the last 100, that was started over `prefix`."""
    for arn in execution_arns(states, machine_arn)[:_LOOKED_BACK]:
        if _prefix(states, arn) == prefix:
            return arn
    return None


def wait_for_start(
    states: "SFNClient", machine_arn: str, *, known: set[str], prefix: str | None = None, timeout_s: float = 60
) -> str:
    """The first execution that is not in `known`; an event starts it, so it takes a moment to be there.

    With `prefix`, the first that was started over it: others' data may land at the same moment.
    """
    passed = set(known)
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        for arn in reversed(execution_arns(states, machine_arn)):
            if arn not in passed and (prefix is None or _prefix(states, arn) == prefix):
                return arn
            passed.add(arn)
        time.sleep(_POLL_S)
    raise ExecutionError(
        f"no execution of {machine_arn.rsplit(':', 1)[-1]} started within {timeout_s:.0f} s of the data landing; "
        "look at the EventBridge rule and its dead-letter queue"
    )


def follow(states: "SFNClient", arn: str, on_step: Callable[[StepDone], None]) -> Outcome:
    """Wait until the execution ends, telling `on_step` of each state it leaves."""
    told = 0
    while True:
        answer = states.describe_execution(executionArn=arn)
        done = steps(states, arn)
        for step in done[told:]:
            on_step(step)
        told = len(done)
        if answer["status"] != "RUNNING":
            seconds = (answer["stopDate"] - answer["startDate"]).total_seconds() if "stopDate" in answer else 0.0
            return Outcome(
                arn=arn,
                status=answer["status"],
                seconds=seconds,
                reason="" if answer["status"] == "SUCCEEDED" else _reason(answer.get("error"), answer.get("cause")),
                output=_json_object(answer.get("output") or ""),
            )
        time.sleep(_POLL_S)


def steps(states: "SFNClient", arn: str) -> list[StepDone]:
    """The states that the execution has left so far, in order, with the time each took."""
    entered: dict[str, float] = {}
    done: list[StepDone] = []
    pages = states.get_paginator("get_execution_history").paginate(executionArn=arn)
    for event in (event for page in pages for event in page["events"]):
        at = event["timestamp"].timestamp()
        if "stateEnteredEventDetails" in event:
            entered[event["stateEnteredEventDetails"]["name"]] = at
        elif "stateExitedEventDetails" in event:
            name = event["stateExitedEventDetails"]["name"]
            done.append(StepDone(name=name, seconds=at - entered.get(name, at)))
    return done


def _prefix(states: "SFNClient", arn: str) -> str | None:
    """The prefix in the execution's input; None where it has none, and so reads all of the folder."""
    return _json_object(states.describe_execution(executionArn=arn).get("input") or "").get("prefix")


def _reason(error: str | None, cause: str | None) -> str:
    """Error and cause in one line; a failed job's answer, which is JSON, is cut down to its own reason."""
    answer = _json_object(cause or "")
    text = answer.get("FailureReason") or answer.get("ErrorMessage") or _stopped(answer) or answer.get("Cause") or cause
    return ": ".join(str(part) for part in (error, text) if part) or "no reason given"


def _stopped(job: dict[str, Any]) -> str:
    """Why a training job was stopped; SageMaker gives no FailureReason to one that ran past its limit."""
    if job.get("TrainingJobStatus") != "Stopped":
        return ""
    said = [each.get("StatusMessage", "") for each in job.get("SecondaryStatusTransitions", [])]
    limits = job.get("StoppingCondition", {})
    parts = [f"the training job was stopped: {job.get('SecondaryStatus')}", *said[-1:], json.dumps(limits)]
    return ", ".join(part for part in parts if part and part != "{}")


def _json_object(text: str) -> dict[str, Any]:
    """The JSON object in `text`, or an empty one when it holds something else."""
    try:
        value: Any = json.loads(text)
    except json.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}  # pyright: ignore[reportUnknownVariableType]
