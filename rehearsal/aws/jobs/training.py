"""A SageMaker training job as a process: channels, checkpoints, artefact, stop, limit and reason of failure.

The contract is the published one ("How Amazon SageMaker AI Runs Your Training Image"), with `/opt/ml` mapped to the
job's folder by `SAGEMAKER_BASE_DIR`.
"""

import json
import math
from typing import Any, ClassVar

from rehearsal.aws import accounts, runtime
from rehearsal.aws.archives import pack_folder
from rehearsal.aws.images import resolve
from rehearsal.aws.jobs import container, storage
from rehearsal.aws.jobs.checkpoints import Checkpoints
from rehearsal.aws.jobs.metrics import Metrics
from rehearsal.aws.jobs.requests import entries, section
from rehearsal.aws.jobs.sagemaker import JobFailedError, SageMakerJob, absent_removed, now

_HOST = "algo-1"
_MESSAGES = {
    "Starting": "Preparing the instances for training",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Stopping": "Stopping the training job",
    "Uploading": "Uploading generated training model",
    "Completed": "Training job completed",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
    "Failed": "Training job failed",
}


class TrainingJob(SageMakerJob):
    """One training job."""

    kind: ClassVar[str] = "training-job"
    log_group: ClassVar[str] = "/aws/sagemaker/TrainingJobs"
    name_member: ClassVar[str] = "TrainingJobName"

    def __init__(self, request: dict[str, Any], *, account_id: str, region: str) -> None:
        super().__init__(request, account_id=account_id, region=region)
        self.transitions: list[dict[str, Any]] = []
        self.seconds = 0.0
        self.has_model = False
        self.metrics = Metrics(request["AlgorithmSpecification"].get("MetricDefinitions") or [])
        self.log.on_line = self.metrics.read
        self.enter("Starting")

    @property
    def training_job_name(self) -> str:
        """For moto's list."""
        return self.name

    @property
    def training_job_status(self) -> str:
        """For moto's list."""
        return self.status

    @property
    def training_end_time(self) -> Any:
        """For moto's list."""
        return self.end_time

    @property
    def output_uri(self) -> str:
        """Where this job's archives go."""
        return f"{self.request['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{self.name}/output"

    def enter(self, secondary: str) -> None:
        """Begin the next secondary status."""
        with self.lock:
            moment = now()
            if self.transitions:
                self.transitions[-1]["EndTime"] = moment
            self.transitions.append({"Status": secondary, "StartTime": moment, "StatusMessage": _MESSAGES[secondary]})
            self.touch()

    def describe(self) -> dict[str, Any]:
        """The answer to DescribeTrainingJob."""
        with self.lock:
            ended = self.end_time is not None
            seconds = math.ceil(self.seconds)
            return absent_removed(
                {
                    **{key: value for key, value in self.request.items() if key != "Tags"},
                    "TrainingJobArn": self.arn,
                    "TrainingJobStatus": self.status,
                    "SecondaryStatus": self.transitions[-1]["Status"],
                    "SecondaryStatusTransitions": [dict(entry) for entry in self.transitions],
                    "FailureReason": self.failure_reason,
                    "ModelArtifacts": {"S3ModelArtifacts": f"{self.output_uri}/model.tar.gz"}
                    if self.has_model
                    else None,
                    "CreationTime": self.creation_time,
                    "LastModifiedTime": self.last_modified_time,
                    "TrainingStartTime": self.start_time,
                    "TrainingEndTime": self.end_time,
                    "TrainingTimeInSeconds": seconds if ended else None,
                    "BillableTimeInSeconds": seconds if ended else None,
                    "FinalMetricDataList": self.metrics.final() or None,
                }
            )

    def work(self) -> str:
        """Download, train, upload."""
        self.make_folders()
        image = resolve(str(self.request["AlgorithmSpecification"]["TrainingImage"]))
        session = self.session()
        s3 = accounts.client("s3", session)
        self.enter("Downloading")
        self._write_configuration()
        self._download(s3)
        checkpoints = Checkpoints.of(self.request.get("CheckpointConfig"), self.base, s3)
        self.enter("Training")
        self.start_time = now()
        with checkpoints:
            ended = self._train(image, session)
        self.seconds = ended.seconds
        return self._outcome(ended, s3)

    def _train(self, image: Any, session: dict[str, str]) -> container.Ended:
        algorithm = self.request["AlgorithmSpecification"]
        entrypoint = algorithm.get("ContainerEntrypoint")
        # with an entrypoint of the request's own, SageMaker appends no `train`
        arguments = algorithm.get("ContainerArguments") or ([] if entrypoint else ["train"])
        variables = {
            "TRAINING_JOB_NAME": self.name,
            "TRAINING_JOB_ARN": self.arn,
            **section(self.request, "Environment"),
            **session,
        }
        return container.run(
            self.container_command(image, entrypoint=entrypoint, arguments=arguments, variables=variables),
            limit_s=self.limit_s,
            stop=self.stop_wanted,
            grace_s=runtime.current().stop_grace_s,
            on_stopping=lambda: self.enter("Stopping"),
        )

    def _outcome(self, ended: container.Ended, s3: Any) -> str:
        if ended.why == "exited" and ended.exit_code != 0:
            self._upload(s3, "output/data", "output.tar.gz")
            raise JobFailedError(f"AlgorithmError: {self._failure()}, exit code: {ended.exit_code}")
        self.enter("Uploading")
        self.has_model = self._upload(s3, "model", "model.tar.gz")
        self._upload(s3, "output/data", "output.tar.gz")
        return {"exited": "Completed", "stopped": "Stopped", "past its limit": "MaxRuntimeExceeded"}[ended.why]

    def finish(self, status: str) -> None:
        """Enter the last secondary status."""
        self.enter(status)
        self.transitions[-1]["EndTime"] = self.transitions[-1]["StartTime"]
        if status == "Failed":
            self.transitions[-1]["StatusMessage"] = self.failure_reason or ""

    def _failure(self) -> str:
        written = self.base / "output" / "failure"
        text = written.read_text(errors="replace").strip() if written.is_file() else ""
        return text or self.log.last_line()

    def _upload(self, s3: Any, folder: str, name: str) -> bool:
        packed = pack_folder(self.base / folder)
        if packed is not None:
            storage.put(s3, f"{self.output_uri}/{name}", packed)
        return packed is not None

    def _download(self, s3: Any) -> None:
        for channel in entries(self.request, "InputDataConfig"):
            source = channel["DataSource"].get("S3DataSource")
            if source is None:
                raise JobFailedError(
                    f"ClientError: channel {channel['ChannelName']}: only S3 data sources are rehearsed"
                )
            try:
                storage.download(s3, source["S3Uri"], self.base / "input" / "data" / channel["ChannelName"])
            except storage.TransferError as error:
                raise JobFailedError(
                    f"ClientError: Data download failed for channel {channel['ChannelName']}: {error}"
                ) from error

    def _write_configuration(self) -> None:
        resources = self.request["ResourceConfig"]
        files = {
            "hyperparameters.json": self.request.get("HyperParameters") or {},
            "inputdataconfig.json": {
                channel["ChannelName"]: _channel_configuration(channel)
                for channel in entries(self.request, "InputDataConfig")
            },
            "resourceconfig.json": {
                "current_host": _HOST,
                "current_instance_type": resources.get("InstanceType"),
                "current_group_name": "homogeneousCluster",
                "hosts": [_HOST],
                "network_interface_name": "lo",
            },
        }
        for folder in ("input/config", "input/data", "model", "output/data", "code"):
            (self.base / folder).mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (self.base / "input" / "config" / name).write_text(json.dumps(content))


def _channel_configuration(channel: dict[str, Any]) -> dict[str, Any]:
    source = section(channel["DataSource"], "S3DataSource")
    return absent_removed(
        {
            "ContentType": channel.get("ContentType"),
            "TrainingInputMode": channel.get("InputMode") or "File",
            "S3DistributionType": source.get("S3DataDistributionType") or "FullyReplicated",
            "RecordWrapperType": channel.get("RecordWrapperType") or "None",
        }
    )
