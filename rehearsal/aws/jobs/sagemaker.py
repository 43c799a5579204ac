"""What SageMaker's training and processing jobs share: their record, their thread, and how they fail."""

import datetime
import shutil
import threading
import traceback
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar

from rehearsal.aws import accounts, runtime
from rehearsal.aws.archives import ArchiveError
from rehearsal.aws.images import Image, ImageError
from rehearsal.aws.jobs import container
from rehearsal.aws.jobs.logs import LogStream
from rehearsal.aws.jobs.requests import section
from rehearsal.aws.jobs.storage import TransferError
from rehearsal.aws.processes import ClosedError

DEFAULT_LIMIT_S = 86_400  # CreateTrainingJob, CreateProcessingJob: StoppingCondition defaults to one day
_REASON_LENGTH = 1024  # DescribeTrainingJob: FailureReason has at most 1024 characters


class JobFailedError(Exception):
    """The job is Failed; the text is its FailureReason."""


def now() -> datetime.datetime:
    """This moment, in UTC."""
    return datetime.datetime.now(tz=datetime.UTC)


class SageMakerJob(ABC):
    """One job: the request that made it, and what became of it. moto's lists read its attributes."""

    kind: ClassVar[str]
    log_group: ClassVar[str]
    name_member: ClassVar[str]

    def __init__(self, request: dict[str, Any], *, account_id: str, region: str) -> None:
        self.request = request
        self.account_id = account_id
        self.region = region
        self.name = str(request[self.name_member])
        self.arn = f"arn:aws:sagemaker:{region}:{account_id}:{self.kind}/{self.name}"
        self.tags: list[dict[str, str]] = list(request.get("Tags") or [])
        self.status = "InProgress"
        self.failure_reason: str | None = None
        self.creation_time = self.last_modified_time = now()
        self.start_time: datetime.datetime | None = None
        self.end_time: datetime.datetime | None = None
        self.lock = threading.RLock()
        self.stop_wanted = threading.Event()
        self.home = runtime.current().job_folder(account_id, self.folder_name)
        self.log = LogStream(
            account_id=account_id,
            region=region,
            group=self.log_group,
            stream=f"{self.name}/algo-1-{int(self.creation_time.timestamp())}",
            file=self.home / "log.txt",
        )

    @property
    def folder_name(self) -> str:
        """The job's folder below `jobs/<account>/`."""
        return self.name

    @property
    def base(self) -> Path:
        """What the container knows as `/opt/ml`."""
        return self.home / "opt" / "ml"

    @property
    def response_object(self) -> dict[str, Any]:
        """What moto's Search reads."""
        return self.describe()

    @property
    def limit_s(self) -> float:
        """MaxRuntimeInSeconds."""
        return float(section(self.request, "StoppingCondition").get("MaxRuntimeInSeconds") or DEFAULT_LIMIT_S)

    @property
    def isolated(self) -> bool:
        """EnableNetworkIsolation, wherever the request has it."""
        network = section(self.request, "NetworkConfig")
        return bool(self.request.get("EnableNetworkIsolation") or network.get("EnableNetworkIsolation"))

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """The answer to Describe."""

    @abstractmethod
    def work(self) -> str:
        """Run to the end; returns the final status. Raises JobFailedError and what the parts of a job raise."""

    def start(self) -> None:
        """Run in a thread of its own."""
        threading.Thread(target=self._run, name=f"{self.kind} {self.name}", daemon=True).start()

    def stop(self) -> None:
        """Ask the job to stop; one that has ended stays as it is."""
        with self.lock:
            if self.status == "InProgress":
                self.status = "Stopping"
                self.touch()
                self.stop_wanted.set()

    def touch(self) -> None:
        """Note that the job changed."""
        self.last_modified_time = now()

    def session(self) -> dict[str, str]:
        """The `AWS_*` variables of the job's role."""
        return accounts.assume(str(self.request["RoleArn"]), region=self.region, session="SageMaker")

    def make_folders(self) -> None:
        """The job's folder, empty: one of an earlier rehearsal in the same state folder is gone."""
        shutil.rmtree(self.home, ignore_errors=True)
        self.base.mkdir(parents=True)

    def container_command(
        self, image: Image, *, entrypoint: list[str] | None, arguments: list[str], variables: dict[str, str]
    ) -> container.Command:
        """How to start the job's container."""
        return container.of_image(
            image,
            home=self.home,
            entrypoint=entrypoint,
            arguments=arguments,
            variables=variables,
            alone=self.isolated,
            log=self.log,
        )

    def _run(self) -> None:
        reason = None
        try:
            status = self.work()
        except JobFailedError as error:
            status, reason = "Failed", str(error)
        except (TransferError, ImageError, ArchiveError, accounts.UnknownRoleError) as error:
            status, reason = "Failed", f"ClientError: {error}"
        except ClosedError:
            return
        except Exception as error:  # the job's record is the only place where anybody looks
            traceback.print_exc()
            status, reason = "Failed", f"InternalServerError: {type(error).__name__}: {error}"
        with self.lock:
            self.failure_reason = reason and reason[:_REASON_LENGTH]
            self.end_time = now()
            self.touch()
            self.finish(status)
            self.status = status if status != "MaxRuntimeExceeded" else "Stopped"

    def finish(self, status: str) -> None:
        """Note the end, under the lock and before the status says so."""
        del status


def absent_removed(content: dict[str, Any]) -> dict[str, Any]:
    """Describe's answer without the members that have no value."""
    return {key: value for key, value in content.items() if value is not None}
