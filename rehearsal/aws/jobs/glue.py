"""A Glue job run as a process: script, `--extra-py-files`, arguments, timeout, stop and error message."""

import shutil
import sys
import threading
import traceback
from datetime import datetime
from pathlib import Path
from typing import Any

from moto.moto_api._internal import mock_random

from rehearsal.aws import accounts, runtime
from rehearsal.aws.jobs import container, storage
from rehearsal.aws.jobs.logs import LogStream
from rehearsal.aws.jobs.sagemaker import absent_removed, now
from rehearsal.aws.processes import ClosedError

_DEFAULT_TIMEOUT_MIN = 480  # CreateJob: since Glue 5.0 the default is 480 minutes
_GRACE_S = 10.0
_ERROR_LENGTH = 1024
_GLUES_OWN = frozenset(
    {
        "--additional-python-modules",
        "--conf",
        "--continuous-log-logGroup",
        "--custom-logGroup-prefix",
        "--datalake-formats",
        "--extra-files",
        "--extra-jars",
        "--extra-py-files",
        "--job-bookmark-option",
        "--job-language",
        "--python-modules-installer-option",
    }
)
_RUNNING = ("STARTING", "RUNNING", "STOPPING")


class JobRun:
    """One run of a Glue job. moto keeps it in the job's list and reads `status`, `job_run_id` and `as_dict`."""

    def __init__(self, job: Any, arguments: dict[str, str], settings: dict[str, Any]) -> None:
        self.job = job
        self.job_run_id = f"jr_{mock_random.get_random_hex(64)}"
        self.arguments = arguments
        self.settings = settings
        self.status = "STARTING"
        self.error: str | None = None
        self.started_on = self.modified_on = now()
        self.completed_on: datetime | None = None
        self.stop_wanted = threading.Event()
        self.lock = threading.RLock()
        self.home = runtime.current().job_folder(job.backend.account_id, f"{job.name}.glue") / self.job_run_id[:16]

    @property
    def timeout_min(self) -> int:
        """The run's timeout, the job's, or Glue's default."""
        return int(self.settings.get("Timeout") or _DEFAULT_TIMEOUT_MIN)

    def get_name(self) -> str:
        """For moto."""
        return str(self.job.name)

    def advance(self) -> None:
        """moto moves its own runs on when they are looked at; these move by themselves."""

    def as_dict(self) -> dict[str, Any]:
        """The run as GetJobRun answers it."""
        with self.lock:
            end = self.completed_on or now()
            return absent_removed(
                {
                    "Id": self.job_run_id,
                    "Attempt": 0,
                    "JobName": self.job.name,
                    "StartedOn": self.started_on,
                    "LastModifiedOn": self.modified_on,
                    "CompletedOn": self.completed_on,
                    "JobRunState": self.status,
                    "Arguments": self.arguments,
                    "ErrorMessage": self.error,
                    "PredecessorRuns": [],
                    "ExecutionTime": int((end - self.started_on).total_seconds()),
                    "LogGroupName": self.arguments.get("--custom-logGroup-prefix", "/aws-glue/jobs"),
                    "GlueVersion": self.job.glue_version,
                    **{key: value for key, value in self.settings.items() if value is not None},
                    "Timeout": self.timeout_min,
                }
            )

    def start(self) -> None:
        """Run in a thread of its own."""
        threading.Thread(target=self._run, name=f"glue {self.job.name}", daemon=True).start()

    def stop(self) -> bool:
        """Ask the run to stop; False when it has ended already."""
        with self.lock:
            if self.status not in _RUNNING:
                return False
            self._enter("STOPPING")
            self.stop_wanted.set()
            return True

    def _enter(self, status: str) -> None:
        with self.lock:
            self.status = status
            self.modified_on = now()

    def _run(self) -> None:
        error = None
        try:
            status, error = self._work()
        except ClosedError:
            return
        except (storage.TransferError, accounts.UnknownRoleError) as problem:
            status, error = "FAILED", str(problem)
        except Exception as problem:  # the run's record is the only place where anybody looks
            traceback.print_exc()
            status, error = "ERROR", f"{type(problem).__name__}: {problem}"
        with self.lock:
            self.error = error and error[:_ERROR_LENGTH]
            self.completed_on = now()
            self._enter(status)

    def _work(self) -> tuple[str, str | None]:
        backend = self.job.backend
        role = accounts.require_role(str(self.job.role), backend.account_id)
        accounts.trust(role, "glue.amazonaws.com", region=backend.region_name, source_arn=str(self.job.arn))
        session = accounts.assume(role, region=backend.region_name, session="GlueJobRunnerSession")
        s3 = accounts.client("s3", session)
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir(parents=True)
        script = self._fetch(s3, str(self.job.command["ScriptLocation"]))
        extra = self.arguments.get("--extra-py-files", "")
        sources = [self._source(self._fetch(s3, uri.strip())) for uri in extra.split(",") if uri.strip()]
        if not self.stop_wanted.is_set():
            self._enter("RUNNING")
        errors = self._stream("error")
        ended = container.run(
            container.Command(
                words=[sys.executable, str(script), *self._words()],
                folder=self.home,
                environment=container.environment(self.home, sources=sources, variables=session),
                output=self._stream("output"),
                errors=errors,
            ),
            limit_s=self.timeout_min * 60.0,
            stop=self.stop_wanted,
            grace_s=_GRACE_S,
        )
        if ended.why == "stopped":
            return "STOPPED", None
        if ended.why == "past its limit":
            return "TIMEOUT", f"Job run exceeded its timeout of {self.timeout_min} minutes"
        if ended.exit_code != 0:
            return "FAILED", errors.last_line() or f"Command failed with exit code {ended.exit_code}"
        return "SUCCEEDED", None

    def _words(self) -> list[str]:
        given = {
            "--JOB_NAME": str(self.job.name),
            "--JOB_RUN_ID": self.job_run_id,
            **{name: value for name, value in self.arguments.items() if name not in _GLUES_OWN},
        }
        return [word for pair in given.items() for word in pair]

    def _fetch(self, s3: Any, uri: str) -> Path:
        path = self.home / uri.rpartition("/")[2]
        path.write_bytes(storage.fetch(s3, uri))
        return path

    def _source(self, path: Path) -> Path:
        """A zip or wheel lies on the path itself; a lone module by its folder."""
        return path if path.suffix in (".zip", ".whl", ".egg") else path.parent

    def _stream(self, kind: str) -> LogStream:
        return LogStream(
            account_id=self.job.backend.account_id,
            region=self.job.backend.region_name,
            group=self._log_group(kind),
            stream=self.job_run_id,
            file=self.home / f"{kind}.txt",
        )

    def _log_group(self, kind: str) -> str:
        """The job's own group where it gives a prefix, told apart by what encrypts and runs it.

        https://docs.aws.amazon.com/glue/latest/dg/monitor-continuous-logging-enable.html
        """
        prefix = self.arguments.get("--custom-logGroup-prefix")
        if prefix is None:
            return f"/aws-glue/jobs/{kind}"
        security = getattr(self.job, "security_configuration", None)
        role = str(self.job.role).rpartition("/")[2]
        return f"{prefix}/{security}-role/{role}/{kind}" if security else f"{prefix}/{kind}"
