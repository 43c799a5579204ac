"""The container contract of SageMaker training and processing jobs: the only reader of /opt/ml and of the environment.

Training: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html
Processing: https://docs.aws.amazon.com/sagemaker/latest/dg/build-your-own-processing-container.html
"""

import contextlib
import json
import math
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from training.errors import JobError

DEFAULT_BASE = "/opt/ml"
# SageMaker keeps this much of the failure file as FailureReason, and of a processing job's message as ExitMessage.
FAILURE_CHARACTERS = 1024


@dataclass(frozen=True)
class Container:
    """The folders under the base folder, and what the environment says. `stop` is set once SIGTERM has arrived."""

    base: Path
    environment: Mapping[str, str]
    stop: list[bool] = field(default_factory=lambda: [False])

    @classmethod
    def current(cls) -> "Container":
        """The container this process runs in; SAGEMAKER_BASE_DIR moves the base folder away from /opt/ml."""
        return cls(Path(os.environ.get("SAGEMAKER_BASE_DIR", DEFAULT_BASE)), dict(os.environ))

    @property
    def git_commit(self) -> str:
        """The commit the image was built from."""
        return self.environment.get("GIT_COMMIT", "unknown")

    @property
    def model_name(self) -> str:
        """The model a processing job is about; JobError when MODEL is not set."""
        return self._variable("MODEL")

    @property
    def snapshot_id(self) -> str:
        """The Iceberg snapshot a processing job is about; JobError when SNAPSHOT_ID is not set."""
        return self._variable("SNAPSHOT_ID")

    @property
    def model_folder(self) -> Path:
        """What is left here becomes model.tar.gz."""
        return self._made("model")

    @property
    def checkpoint_folder(self) -> Path:
        """Kept in step with S3 by SageMaker, and filled again when a spot job goes on elsewhere."""
        return self._made("checkpoints")

    @property
    def output_folder(self) -> Path:
        """What is left here by a training job becomes output.tar.gz."""
        return self._made("output/data")

    @property
    def processing_output(self) -> Path:
        """What is left here by a processing job is uploaded."""
        return self._made("processing/output")

    @property
    def cpu_count(self) -> int:
        """Processors this process may use, which in a container are fewer than the machine's."""
        return max(1, int(min(len(os.sched_getaffinity(0)), cpu_quota())))

    def hyperparameters(self) -> dict[str, str]:
        """The job's hyperparameters, all of them strings as SageMaker passes them."""
        path = self.base / "input/config/hyperparameters.json"
        document = _read_object(path, self.base)
        return {key: value if isinstance(value, str) else json.dumps(value) for key, value in document.items()}

    def require_one_host(self) -> None:
        """JobError when the job was given several instances: the training loop runs on one."""
        path = self.base / "input/config/resourceconfig.json"
        if path.is_file():
            hosts = cast("list[str]", _read_object(path, self.base).get("hosts", []))
            if len(hosts) > 1:
                raise JobError(f"the job has {len(hosts)} instances, training uses one: set instance_count = 1")

    def channel(self, name: str) -> Path:
        """The folder of a training channel; JobError names the channels there are."""
        return self._input(self.base / "input/data", name, "channel")

    def processing_input(self, name: str) -> Path:
        """The folder of a processing input; JobError names the inputs there are."""
        return self._input(self.base / "processing/input", name, "processing input")

    def optional_processing_input(self, name: str) -> Path | None:
        """The folder of a processing input that may be left out (or be empty)."""
        folder = self.base / "processing/input" / name
        return folder if folder.is_dir() and any(folder.iterdir()) else None

    def fail(self, reason: str) -> None:
        """Leave one line as the job's failure reason (training reads `failure`, processing `message`).

        Where nothing can be written, the last line of the log is all that is told.
        """
        line = " ".join(reason.split())[:FAILURE_CHARACTERS]
        with contextlib.suppress(JobError, OSError):
            folder = self._made("output")
            for name in ("failure", "message"):
                (folder / name).write_text(line, encoding="utf-8")

    def watch_for_stop(self) -> None:
        """Note SIGTERM instead of dying of it; as process 1 of a container, Linux would drop it without a handler."""

        def note(_signal: int, _frame: object) -> None:
            self.stop[0] = True

        signal.signal(signal.SIGTERM, note)

    def _variable(self, name: str) -> str:
        value = self.environment.get(name, "")
        if not value:
            raise JobError(f"the environment variable {name} is not set; the job's definition sets it")
        return value

    def _made(self, path: str) -> Path:
        folder = self.base / path
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise JobError(f"{folder} cannot be made by user {os.getuid()}: {error.strerror}") from error
        return folder

    def _input(self, parent: Path, name: str, kind: str) -> Path:
        folder = parent / name
        if not folder.is_dir():
            known = ", ".join(sorted(entry.name for entry in parent.iterdir())) if parent.is_dir() else ""
            raise JobError(f"{kind} {name!r} is missing; there are: {known or 'none'}")
        return folder


def cpu_quota(cgroup: Path = Path("/sys/fs/cgroup")) -> float:
    """Processors that the control group may use, by its quota; infinity without one. Version 2, else version 1."""
    quota, _, period = _read_line(cgroup / "cpu.max").partition(" ")
    if not quota:
        quota, period = _read_line(cgroup / "cpu/cpu.cfs_quota_us"), _read_line(cgroup / "cpu/cpu.cfs_period_us")
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() else math.inf


def _read_line(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _read_object(path: Path, base: Path) -> dict[str, Any]:
    shown = path.relative_to(base)
    try:
        document: object = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise JobError(f"{shown}: no such file under {base}; SageMaker writes it before the job starts") from error
    except ValueError as error:
        raise JobError(f"{shown}: no valid JSON: {error}") from error
    if not isinstance(document, dict):
        raise JobError(f"{shown}: must be a JSON object, found {type(document).__name__}")
    return cast("dict[str, Any]", document)
