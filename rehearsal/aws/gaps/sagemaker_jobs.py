"""SageMaker training and processing jobs that really run, in the place of moto's, which are born Completed."""

from typing import Any, Final

from moto.core.responses import ActionResult, EmptyResult
from moto.sagemaker.exceptions import AWSValidationException, ResourceInUseException, ResourceNotFound
from moto.sagemaker.responses import SageMakerResponse

from rehearsal.aws import accounts
from rehearsal.aws.gaps import replace
from rehearsal.aws.jobs import requests
from rehearsal.aws.jobs.processing import ProcessingJob
from rehearsal.aws.jobs.training import TrainingJob

NOTES: Final = (
    "SageMaker training and processing jobs run their entrypoint as one process on this machine, whatever the instance "
    "type and count: no GPU is provided, and one host is reported.",
    "Spot capacity is never taken away; VPC and volume encryption are recorded, not enforced. A container with network "
    "isolation gets no credentials and no address of AWS, as on SageMaker, but its network is not cut.",
    "Tuning, compilation and AutoML jobs keep moto's answer: Completed at once, without having run.",
    "A job's image is its source layer; interpreter and libraries are those of the rehearsal's environment.",
)


def install() -> None:
    """Take over create, describe and stop; moto's lists and tags read our records."""
    replace(
        SageMakerResponse,
        create_training_job=create_training_job,
        describe_training_job=describe_training_job,
        stop_training_job=stop_training_job,
        create_processing_job=create_processing_job,
        describe_processing_job=describe_processing_job,
        stop_processing_job=stop_processing_job,
    )


def create_training_job(self: SageMakerResponse) -> ActionResult:
    """CreateTrainingJob."""
    request = _valid(self, "CreateTrainingJob")
    stopping = requests.section(request, "StoppingCondition")
    if request.get("EnableManagedSpotTraining"):
        limit, wait = stopping.get("MaxRuntimeInSeconds", 86_400), stopping.get("MaxWaitTimeInSeconds")
        if wait is None or wait < limit:
            raise AWSValidationException(
                "MaxWaitTimeInSeconds must be present and at least MaxRuntimeInSeconds with managed spot training"
            )
    job = TrainingJob(request, account_id=self.current_account, region=self.region)
    _start(job, self.sagemaker_backend.training_jobs)
    return ActionResult({"TrainingJobArn": job.arn})


def describe_training_job(self: SageMakerResponse) -> ActionResult:
    """DescribeTrainingJob."""
    return ActionResult(_found(self, "TrainingJobName", self.sagemaker_backend.training_jobs).describe())


def stop_training_job(self: SageMakerResponse) -> ActionResult:
    """StopTrainingJob."""
    _stop(_found(self, "TrainingJobName", self.sagemaker_backend.training_jobs))
    return EmptyResult()


def create_processing_job(self: SageMakerResponse) -> ActionResult:
    """CreateProcessingJob."""
    request = _valid(self, "CreateProcessingJob")
    job = ProcessingJob(request, account_id=self.current_account, region=self.region)
    _start(job, self.sagemaker_backend.processing_jobs)
    return ActionResult({"ProcessingJobArn": job.arn})


def describe_processing_job(self: SageMakerResponse) -> ActionResult:
    """DescribeProcessingJob."""
    return ActionResult(_found(self, "ProcessingJobName", self.sagemaker_backend.processing_jobs).describe())


def stop_processing_job(self: SageMakerResponse) -> ActionResult:
    """StopProcessingJob."""
    _stop(_found(self, "ProcessingJobName", self.sagemaker_backend.processing_jobs))
    return EmptyResult()


def _valid(self: SageMakerResponse, operation: str) -> dict[str, Any]:
    request: dict[str, Any] = dict(self.params)
    problem = requests.problem("sagemaker", operation, request)
    if problem is not None:
        raise AWSValidationException(problem)
    try:
        accounts.trust(request["RoleArn"], "sagemaker.amazonaws.com", region=self.region)
    except accounts.UnknownRoleError as error:
        raise AWSValidationException(f"Could not assume role {request['RoleArn']}: {error}") from error
    return request


def _start(job: TrainingJob | ProcessingJob, jobs: dict[str, Any]) -> None:
    if jobs.setdefault(job.name, job) is not job:
        raise ResourceInUseException(
            f"Job name must be unique within an AWS account and region, and this job already exists: {job.arn}"
        )
    job.start()


def _found(self: SageMakerResponse, member: str, jobs: dict[str, Any]) -> Any:
    name = str(self.params.get(member))
    if name not in jobs:
        raise AWSValidationException("Requested resource not found.")
    return jobs[name]


def _stop(job: Any) -> None:
    if job.status not in ("InProgress", "Stopping"):
        raise ResourceNotFound(message=f"The request was rejected because the job {job.name} is in status {job.status}")
    job.stop()
