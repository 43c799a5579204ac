"""The pieces every step shares: a task with its retries, its timeout and where it goes when it fails.

Retried is what may pass by itself: throttling and a service's own errors, with jitter so that executions started
together do not retry together. A job that failed (`States.TaskFailed`) would fail again, and is not retried.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

State = dict[str, Any]
States = dict[str, State]

Step = Literal["ResolveImages", "Ingest", "Validate", "Train", "Evaluate", "Register", "SignRelease", "ProposeRelease"]
"""What a failed execution is said to have failed at."""

_TIMED_OUT = "TimedOut"
_FAILURE = "$.failure"

# Names as Step Functions reports them. SageMaker and S3 report throttling under the name of their general exception.
ECR_ERRORS = ("Ecr.EcrException", "Ecr.ServerException", "Ecr.SdkClientException")
S3_ERRORS = ("S3.S3Exception", "S3.SdkClientException")
GLUE_ERRORS = (
    "Glue.ConcurrentRunsExceededException",
    "Glue.InternalServiceException",
    "Glue.OperationTimeoutException",
    "Glue.ResourceNumberLimitExceededException",
    "Glue.ThrottlingException",
)
SAGEMAKER_JOB_ERRORS = (
    "SageMaker.AmazonSageMakerException",
    "SageMaker.ResourceLimitExceededException",
    "SageMaker.ThrottlingException",
)
KMS_ERRORS = (
    "Kms.KmsException",
    "Kms.DependencyTimeoutException",
    "Kms.KmsInternalException",
    "Kms.SdkClientException",
)
SAGEMAKER_ERRORS = ("SageMaker.SageMakerException", "SageMaker.SdkClientException")
EVENTS_ERRORS = ("EventBridge.FailedEntry", "Events.InternalException", "Events.ThrottlingException")


def task(
    resource: str,
    parameters: Mapping[str, Any],
    *,
    step: Step,
    errors: Sequence[str],
    timeout_s: int,
    next_state: str,
    result_path: str | None = None,
    result: Mapping[str, str] | None = None,
    retry: Mapping[str, int] | None = None,
) -> State:
    """A task on the service integration `resource` (`glue:startJobRun.sync`), whose result is kept at `result_path`.

    `result` selects what is kept: the state of an execution holds 256 KiB. An error ends in `<step>Failed`.
    """
    state: State = {
        "Type": "Task",
        "Resource": f"arn:aws:states:::{resource}",
        "Parameters": dict(parameters),
        "TimeoutSeconds": timeout_s,
        "Retry": [{"ErrorEquals": list(errors), **(retry or quick_retry())}],
        "Catch": [
            # A timeout comes without a cause, which `<step>Failed` would miss.
            {"ErrorEquals": ["States.Timeout"], "ResultPath": _FAILURE, "Next": _TIMED_OUT},
            {"ErrorEquals": ["States.ALL"], "ResultPath": _FAILURE, "Next": f"{step}Failed"},
        ],
        "ResultPath": result_path,
        "Next": next_state,
    }
    if result is not None:
        state["ResultSelector"] = dict(result)
    return state


def quick_retry() -> dict[str, Any]:
    """For calls that answer at once: 2, 4, 8, 16 s at most."""
    return {
        "IntervalSeconds": 2,
        "MaxAttempts": 4,
        "BackoffRate": 2.0,
        "MaxDelaySeconds": 30,
        "JitterStrategy": "FULL",
    }


def patient_retry() -> dict[str, Any]:
    """For starting jobs, where a quota or another execution's run is waited for: about an hour in all."""
    return {
        "IntervalSeconds": 15,
        "MaxAttempts": 12,
        "BackoffRate": 2.0,
        "MaxDelaySeconds": 600,
        "JitterStrategy": "FULL",
    }


def failures() -> States:
    """Where caught errors go: the execution fails at the named step with the cause that the service reported.

    For a job that failed the cause is its description as JSON, the `FailureReason` or `ErrorMessage` in it. The error
    is a name of ours because `States.TaskFailed` is reserved.
    """
    steps: States = {
        f"{step}Failed": {"Type": "Fail", "Error": f"{step}Failed", "CausePath": f"{_FAILURE}.Cause"}
        for step in get_args(Step)
    }
    timed_out: State = {
        "Type": "Fail",
        "Error": _TIMED_OUT,
        "Cause": "A step did not end within its limit; the history of the execution shows which",
    }
    return {**steps, _TIMED_OUT: timed_out}


def read_json(bucket: str, key_path: str, *, step: Step, result_path: str, next_state: str) -> State:
    """Read the JSON object that a job left in S3 into `<result_path>.content`."""
    return task(
        "aws-sdk:s3:getObject",
        {"Bucket": bucket, "Key.$": key_path},
        step=step,
        errors=S3_ERRORS,
        timeout_s=60,
        result={"content.$": "States.StringToJson($.Body)"},
        result_path=result_path,
        next_state=next_state,
    )
