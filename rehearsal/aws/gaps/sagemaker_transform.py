"""Batch Transform jobs that really run the model's container, in the place of moto's, which are born Completed."""

from typing import Any, Final

from moto.core.responses import ActionResult, EmptyResult
from moto.sagemaker.exceptions import AWSValidationException, ResourceInUseException, ResourceNotFound
from moto.sagemaker.responses import SageMakerResponse

from rehearsal.aws.endpoints.model import ModelError, ServedModel
from rehearsal.aws.gaps import replace
from rehearsal.aws.jobs import requests, transform_requests
from rehearsal.aws.jobs.transform import TransformJob
from rehearsal.aws.jobs.transform_filters import Filters
from rehearsal.aws.jobs.transform_paths import PathError

NOTES: Final = (
    "A transform job asks one container, whatever its instance count. S3Prefix and ManifestFile, Line and None, Gzip, "
    "both batch strategies, filters and joins of CSV and JSON are done; RecordIO, TFRecord, augmented manifests and "
    "data capture are refused. A request is tried again after 5xx or silence, not after 4xx.",
    "With AssembleWith Line an answer that ends in a line end gets no second one.",
)


def install() -> None:
    """Take over create, describe and stop; moto's lists and tags read our records."""
    replace(
        SageMakerResponse,
        create_transform_job=create_transform_job,
        describe_transform_job=describe_transform_job,
        stop_transform_job=stop_transform_job,
    )


def create_transform_job(self: SageMakerResponse) -> ActionResult:
    """CreateTransformJob."""
    request: dict[str, Any] = dict(self.params)
    problem = requests.problem("sagemaker", "CreateTransformJob", request) or transform_requests.problem(request)
    if problem is not None:
        raise AWSValidationException(problem)
    try:
        Filters.of(request)
        model = ServedModel.of(self.sagemaker_backend, str(request["ModelName"]))
    except (PathError, ModelError) as error:
        raise AWSValidationException(str(error)) from error
    job = TransformJob(request, model)
    jobs: dict[str, Any] = self.sagemaker_backend.transform_jobs
    if jobs.setdefault(job.name, job) is not job:
        raise ResourceInUseException(
            f"Job name must be unique within an AWS account and region, and this job already exists: {job.arn}"
        )
    job.start()
    return ActionResult({"TransformJobArn": job.arn})


def describe_transform_job(self: SageMakerResponse) -> ActionResult:
    """DescribeTransformJob."""
    return ActionResult(_found(self).describe())


def stop_transform_job(self: SageMakerResponse) -> ActionResult:
    """StopTransformJob."""
    job = _found(self)
    if job.status not in ("InProgress", "Stopping"):
        raise ResourceNotFound(message=f"The request was rejected because the job {job.name} is in status {job.status}")
    job.stop()
    return EmptyResult()


def _found(self: SageMakerResponse) -> TransformJob:
    name = str(self.params.get("TransformJobName"))
    jobs: dict[str, Any] = self.sagemaker_backend.transform_jobs
    if name not in jobs:
        raise AWSValidationException("Requested resource not found.")
    return jobs[name]
