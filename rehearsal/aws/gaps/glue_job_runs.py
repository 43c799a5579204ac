"""Glue job runs that really run, in the place of moto's, which succeed at once."""

from typing import Any, Final, cast

from moto.core.responses import ActionResult
from moto.glue.exceptions import ConcurrentRunsExceededException, InvalidInputException
from moto.glue.models import FakeJob
from moto.glue.responses import GlueResponse

from rehearsal.aws.gaps import replace
from rehearsal.aws.jobs.glue import JobRun

NOTES: Final = (
    "A Glue job runs its script as one Python process, whatever the worker type and count; there is no Spark. "
    "`--additional-python-modules` is recorded: the modules come from the rehearsal's own environment.",
    "A failed Glue run is not retried by Glue itself (MaxRetries); the state machine retries it.",
)
_ENDED = ("SUCCEEDED", "FAILED", "TIMEOUT", "STOPPED", "ERROR")


def install() -> None:
    """Take over the start of a run; moto's GetJobRun and GetJobRuns read our records."""
    replace(FakeJob, start_job_run=start_job_run)
    replace(GlueResponse, batch_stop_job_run=batch_stop_job_run)


def start_job_run(  # noqa: PLR0917 - moto's own signature
    self: FakeJob,
    allocated_capacity: int | None,
    max_capacity: float | None,
    timeout: int | None,
    worker_type: str | None,
    security_configuration: str | None,
    number_of_workers: int | None,
    notification_property: dict[str, int] | None,
    previous_run_id: str | None,
    arguments: dict[str, str] | None,
) -> str:
    """StartJobRun: arguments of the run over the job's defaults, under those that cannot be overridden."""
    runs = cast("list[Any]", self.job_runs)
    running = sum(1 for run in runs if run.status not in _ENDED)
    if running >= self.execution_property.get("MaxConcurrentRuns", 1):
        raise ConcurrentRunsExceededException(f"Concurrent runs exceeded for {self.name}")
    if not isinstance(cast("Any", self.command), dict) or not cast("Any", self.command).get("ScriptLocation"):
        raise InvalidInputException("StartJobRun", f"Job {self.name} has no script location")
    merged = {**self.default_arguments, **(arguments or {}), **(self.non_overridable_arguments or {})}
    settings = {
        "AllocatedCapacity": allocated_capacity or self.allocated_capacity,
        "MaxCapacity": max_capacity or self.max_capacity,
        "Timeout": timeout or self.timeout,
        "WorkerType": worker_type or self.worker_type,
        "SecurityConfiguration": security_configuration or self.security_configuration,
        "NumberOfWorkers": number_of_workers or self.number_of_workers,
        "NotificationProperty": notification_property or self.notification_property,
        "PreviousRunId": previous_run_id,
    }
    run = JobRun(self, merged, settings)
    runs.append(run)
    run.start()
    return run.job_run_id


def batch_stop_job_run(self: GlueResponse) -> ActionResult:
    """BatchStopJobRun."""
    parameters = self.parameters
    name = str(parameters["JobName"])
    runs = {run.job_run_id: run for run in cast("list[Any]", self.glue_backend.get_job(name).job_runs)}
    stopped: list[dict[str, str]] = []
    errors: list[dict[str, Any]] = []
    for run_id in parameters["JobRunIds"]:
        if run_id in runs and runs[run_id].stop():
            stopped.append({"JobName": name, "JobRunId": run_id})
            continue
        code = "JobRunNotInTerminalStateException" if run_id in runs else "EntityNotFoundException"
        detail = {"ErrorCode": code, "ErrorMessage": f"Job run {run_id} cannot be stopped"}
        errors.append({"JobName": name, "JobRunId": run_id, "ErrorDetail": detail})
    return ActionResult({"SuccessfulSubmissions": stopped, "Errors": errors})
