"""What every part of the one server process shares: its state folder, its port and the processes it started."""

from dataclasses import dataclass, field
from pathlib import Path

from rehearsal.aws.clock import Clock
from rehearsal.aws.processes import Processes
from rehearsal.containers.engine import Engine

NOTES_FOLDER = "processes"


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """One running rehearsal. `stop_grace_s` is what a container gets between SIGTERM and SIGKILL."""

    state_dir: Path
    port: int
    processes: Processes
    stop_grace_s: float = 120.0
    clock: Clock = field(default_factory=Clock)
    engine: Engine | None = None
    """What runs SageMaker's jobs and endpoints in containers; None runs them as processes."""

    @property
    def endpoint_url(self) -> str:
        """The address of every AWS service of this rehearsal."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def images(self) -> Path:
        """Where pushed layers are unpacked: `images/<digest>/`."""
        return self.state_dir / "images"

    def job_folder(self, account_id: str, job: str) -> Path:
        """The folder of one job; its container sees `opt/ml` in it as `/opt/ml`."""
        return self.state_dir / "jobs" / account_id / job

    def endpoint_folder(self, account_id: str, endpoint: str) -> Path:
        """The folder of one endpoint."""
        return self.state_dir / "endpoints" / account_id / endpoint


class _Active:
    """moto calls its handlers with nothing but the request, so that the runtime has to be found from there."""

    runtime: Runtime | None = None


def activate(runtime: Runtime) -> None:
    """Make `runtime` the one of this process."""
    _Active.runtime = runtime


def current() -> Runtime:
    """The runtime of this process. Raises RuntimeError outside a rehearsal server."""
    if _Active.runtime is None:
        raise RuntimeError("no rehearsal runs in this process")
    return _Active.runtime
