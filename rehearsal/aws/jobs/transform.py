"""A SageMaker Batch Transform job: the model's own container, asked for each object's records through /invocations.

An object with a bad record leaves no output and fails the job, while the other objects are still transformed
(https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform.html). What went wrong with which object is in the
job's `data-log`, as on AWS.
"""

import dataclasses
import json
from typing import Any, ClassVar

from botocore.exceptions import BotoCoreError, ClientError

from rehearsal.aws import accounts
from rehearsal.aws.endpoints.fleet import Fleet
from rehearsal.aws.endpoints.model import ModelError, ServedModel
from rehearsal.aws.jobs import storage
from rehearsal.aws.jobs.logs import LogStream
from rehearsal.aws.jobs.requests import section
from rehearsal.aws.jobs.sagemaker import JobFailedError, SageMakerJob, absent_removed, now
from rehearsal.aws.jobs.transform_filters import Filters
from rehearsal.aws.jobs.transform_records import RecordError
from rehearsal.aws.jobs.transform_requests import Plan, Sender, StoppedError, plan

_STARTUP_S = 600.0


class TransformJob(SageMakerJob):
    """One transform job of the model `model`. `transform_*` are what moto's list reads."""

    kind: ClassVar[str] = "transform-job"
    log_group: ClassVar[str] = "/aws/sagemaker/TransformJobs"
    name_member: ClassVar[str] = "TransformJobName"

    def __init__(self, request: dict[str, Any], model: ServedModel) -> None:
        super().__init__(request, account_id=model.account_id, region=model.region)
        self.model = model
        self.data_log = LogStream(
            account_id=self.account_id,
            region=self.region,
            group=self.log_group,
            stream=f"{self.log.stream}/data-log",
            file=self.home / "data-log.txt",
        )

    @property
    def folder_name(self) -> str:
        """A training job may have the same name."""
        return f"{self.name}.transform"

    @property
    def transform_job_name(self) -> str:
        """For moto's list."""
        return self.name

    @property
    def transform_job_status(self) -> str:
        """For moto's list."""
        return self.status

    @property
    def transform_end_time(self) -> Any:
        """For moto's list, which knows no job that still runs."""
        return self.end_time or self.last_modified_time

    def describe(self) -> dict[str, Any]:
        """The answer to DescribeTransformJob."""
        with self.lock:
            return absent_removed(
                {
                    **{key: value for key, value in self.request.items() if key != "Tags"},
                    "TransformJobArn": self.arn,
                    "TransformJobStatus": self.status,
                    "FailureReason": self.failure_reason,
                    "CreationTime": self.creation_time,
                    "TransformStartTime": self.start_time,
                    "TransformEndTime": self.end_time,
                }
            )

    def session(self) -> dict[str, str]:
        """The `AWS_*` variables of the model's role: a transform job has none of its own."""
        return accounts.assume(self.model.role, region=self.region, session="SageMakerTransform")

    def work(self) -> str:
        """Start the container, transform every object, stop the container."""
        self.make_folders()
        s3 = accounts.client("s3", self.session())
        objects = self._objects(s3)
        wanted = plan(self.request)
        fleet = self._fleet(wanted)
        try:
            fleet.start()
        except ModelError as error:
            raise JobFailedError(f"AlgorithmError: {error}") from error
        try:
            self.start_time = now()
            return self._transform(s3, objects, fleet, wanted)
        finally:
            fleet.stop()

    def _transform(self, s3: Any, objects: dict[str, str], fleet: Fleet, wanted: Plan) -> str:
        wanted = wanted.completed(fleet.execution_parameters())
        self.data_log.write(wanted.line())
        filters = Filters.of(self.request)
        failed: list[str] = []
        with Sender(fleet, wanted, filters, self.stop_wanted) as sender:
            for uri, name in objects.items():
                try:
                    output = sender.transform(storage.fetch(s3, uri))
                except StoppedError:
                    return "Stopped"
                except RecordError as error:
                    failed.append(uri)
                    for line in str(error).splitlines():
                        self.data_log.write(f"{uri.removeprefix('s3://')}: {line}")
                    continue
                storage.put(s3, f"{wanted.output.rstrip('/')}/{name}.out", output)
        if failed:
            raise JobFailedError(f"ClientError: See job logs for more information ({len(failed)} of {len(objects)})")
        return "Completed"

    def _fleet(self, wanted: Plan) -> Fleet:
        variables = {**self.model.environment, **wanted.variables(), **section(self.request, "Environment")}
        return Fleet(
            dataclasses.replace(self.model, environment=variables),
            configuration=self.name,
            variant=self.name,
            home=self.home / self.log.stream.rpartition("/")[2],
            group=self.log_group,
            startup_s=_STARTUP_S,
        )

    def _objects(self, s3: Any) -> dict[str, str]:
        """The name of each object's output, without `.out`, by the object's URI. Raises JobFailedError."""
        source = self.request["TransformInput"]["DataSource"]["S3DataSource"]
        uri = str(source["S3Uri"])
        try:
            if source["S3DataType"] == "ManifestFile":
                return _listed(json.loads(storage.fetch(s3, uri)), uri)
            place = storage.Location.parse(uri)
            found = {f"s3://{place.bucket}/{key}": storage.relative(key, place.key) for key in storage.keys(s3, place)}
        except (storage.TransferError, ClientError, BotoCoreError, ValueError) as error:
            raise JobFailedError(f"ClientError: Data download failed: {uri}: {error}") from error
        if not found:
            raise JobFailedError(f"ClientError: Data download failed: No S3 objects found under S3 URL {uri!r}")
        return found


def _listed(manifest: Any, uri: str) -> dict[str, str]:
    """A manifest: a list of one `{"prefix": …}` and of names below it. Raises ValueError."""
    match manifest:
        case [{"prefix": str(prefix)}, str(first), *rest] if all(isinstance(name, str) for name in rest):
            return {f"{prefix.rstrip('/')}/{name}": str(name) for name in (first, *rest)}
        case _:
            raise ValueError(f'{uri} is no manifest, which is [{{"prefix": "s3://…/"}}, "name", …]')
