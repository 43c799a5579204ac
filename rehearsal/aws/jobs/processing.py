"""A SageMaker processing job as a process: inputs, outputs, stop, limit and reason of failure."""

import json
from pathlib import Path
from typing import Any, ClassVar

from rehearsal.aws import accounts, runtime
from rehearsal.aws.images import resolve
from rehearsal.aws.jobs import container, storage
from rehearsal.aws.jobs.requests import entries, section
from rehearsal.aws.jobs.sagemaker import JobFailedError, SageMakerJob, absent_removed, now


class ProcessingJob(SageMakerJob):
    """One processing job."""

    kind: ClassVar[str] = "processing-job"
    log_group: ClassVar[str] = "/aws/sagemaker/ProcessingJobs"
    name_member: ClassVar[str] = "ProcessingJobName"

    exit_message: str | None = None

    @property
    def folder_name(self) -> str:
        """A training job may have the same name."""
        return f"{self.name}.processing"

    @property
    def processing_job_name(self) -> str:
        """For moto's list."""
        return self.name

    @property
    def processing_job_status(self) -> str:
        """For moto's list."""
        return self.status

    @property
    def processing_end_time(self) -> Any:
        """For moto's list."""
        return self.end_time

    def describe(self) -> dict[str, Any]:
        """The answer to DescribeProcessingJob."""
        with self.lock:
            return absent_removed(
                {
                    **{key: value for key, value in self.request.items() if key != "Tags"},
                    "ProcessingJobArn": self.arn,
                    "ProcessingJobStatus": self.status,
                    "FailureReason": self.failure_reason,
                    "ExitMessage": self.exit_message,
                    "CreationTime": self.creation_time,
                    "LastModifiedTime": self.last_modified_time,
                    "ProcessingStartTime": self.start_time,
                    "ProcessingEndTime": self.end_time,
                }
            )

    def work(self) -> str:
        """Download the inputs, run, upload the outputs."""
        self.make_folders()
        specification = self.request["AppSpecification"]
        image = resolve(str(specification["ImageUri"]))
        session = self.session()
        s3 = accounts.client("s3", session)
        outputs = self._outputs(s3)
        self._write_configuration()
        self._download(s3)
        self.start_time = now()
        command = self.container_command(
            image,
            entrypoint=specification.get("ContainerEntrypoint"),
            arguments=specification.get("ContainerArguments") or [],
            variables={"PROCESSING_JOB_NAME": self.name, **section(self.request, "Environment"), **session},
        )
        ended = container.run(
            command, limit_s=self.limit_s, stop=self.stop_wanted, grace_s=runtime.current().stop_grace_s
        )
        self.exit_message = self._message()
        if ended.why == "exited" and ended.exit_code != 0:
            raise JobFailedError(
                f"AlgorithmError: {self.exit_message or self.log.last_line()}, exit code: {ended.exit_code}"
            )
        for output in outputs:
            output.run()
        return {"exited": "Completed", "stopped": "Stopped", "past its limit": "MaxRuntimeExceeded"}[ended.why]

    def finish(self, status: str) -> None:
        """A processing job has no secondary status: what ran out of time says so in its exit message."""
        if status == "MaxRuntimeExceeded":
            self.exit_message = f"Processing job runtime exceeded MaxRuntimeInSeconds ({self.limit_s:.0f}) provided"

    def _path(self, path: str, of: str) -> Path:
        try:
            return container.local_path(self.base, path)
        except ValueError as error:
            raise JobFailedError(f"ClientError: {of}: {error}") from error

    def _download(self, s3: Any) -> None:
        for entry in entries(self.request, "ProcessingInputs"):
            source = entry.get("S3Input")
            if source is None:
                raise JobFailedError(f"ClientError: input {entry['InputName']}: only S3 inputs are rehearsed")
            folder = self._path(source["LocalPath"], f"input {entry['InputName']}")
            try:
                storage.download(s3, source["S3Uri"], folder)
            except storage.TransferError as error:
                raise JobFailedError(
                    f"ClientError: Data download failed for input {entry['InputName']}: {error}"
                ) from error

    def _outputs(self, s3: Any) -> list[storage.Upload]:
        found: list[storage.Upload] = []
        for entry in entries(section(self.request, "ProcessingOutputConfig"), "Outputs"):
            target = entry["S3Output"]
            folder = self._path(target["LocalPath"], f"output {entry['OutputName']}")
            folder.mkdir(parents=True, exist_ok=True)
            found.append(storage.Upload(s3=s3, folder=folder, uri=target["S3Uri"]))
        return found

    def _message(self) -> str | None:
        written = self.base / "output" / "message"
        return written.read_text(errors="replace").strip()[:1024] if written.is_file() else None

    def _write_configuration(self) -> None:
        resources = self.request["ProcessingResources"]["ClusterConfig"]
        content = {
            "ProcessingJobArn": self.arn,
            **{key: value for key, value in self.request.items() if key != "Tags"},
        }
        hosts = {"current_host": "algo-1", "current_instance_type": resources.get("InstanceType"), "hosts": ["algo-1"]}
        for folder in ("config", "output", "processing"):
            (self.base / folder).mkdir(parents=True, exist_ok=True)
        (self.base / "config" / "processingjobconfig.json").write_text(json.dumps(content))
        (self.base / "config" / "resourceconfig.json").write_text(json.dumps(hosts))
