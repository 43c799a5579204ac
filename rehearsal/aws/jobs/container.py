"""A container as a process: its environment, and its life until it exits, is stopped or runs past its limit."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rehearsal.aws import container, runtime
from rehearsal.aws.jobs.logs import LogStream

_POLL_S = 0.1
_LOG_S = 5.0
_ML = "/opt/ml"
Why = Literal["exited", "stopped", "past its limit"]


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a process ended. `exit_code` is 128 + n after signal n."""

    exit_code: int
    why: Why
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Command:
    """What to start, where, with which environment, and where its two outputs go (the second may be the first)."""

    words: list[str]
    folder: Path
    environment: dict[str, str]
    output: LogStream
    errors: LogStream | None = None


def environment(home: Path, *, sources: list[Path], variables: dict[str, str]) -> dict[str, str]:
    """All that the process sees: nothing of the server's own environment but where programs lie."""
    temporary = home / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "PYTHONPATH": os.pathsep.join(str(path) for path in (*container.__path__, *sources)),
        "PYTHONUNBUFFERED": "1",
        "AWS_ENDPOINT_URL": runtime.current().endpoint_url,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "3",
        **variables,
    }


def isolated(variables: dict[str, str]) -> dict[str, str]:
    """The variables of a container with network isolation: SageMaker gives it no credentials, and it reaches no AWS."""
    return {name: value for name, value in variables.items() if not name.startswith("AWS_") or name.endswith("REGION")}


def local_path(base: Path, path: str) -> Path:
    """Where a path of the container lies here: `/opt/ml/x` is `x` in `base`. Raises ValueError for any other path."""
    if path.rstrip("/") != _ML and not path.startswith(f"{_ML}/"):
        raise ValueError(f"{path} does not lie in {_ML}")
    found = (base / path.removeprefix(_ML).strip("/")).resolve()
    if not found.is_relative_to(base.resolve()):
        raise ValueError(f"{path} leads out of {_ML}")
    return found


def launch(command: Command) -> tuple[subprocess.Popen[bytes], list[threading.Thread]]:
    """Start it, with a thread for each of its outputs."""
    process = runtime.current().processes.start(
        command.words,
        folder=command.folder,
        environment=command.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if command.errors else subprocess.STDOUT,
    )
    threads = [
        stream.follow(pipe)
        for stream, pipe in ((command.output, process.stdout), (command.errors, process.stderr))
        if stream and pipe
    ]
    return process, threads


def run(
    command: Command,
    *,
    limit_s: float,
    stop: threading.Event,
    grace_s: float,
    on_stopping: Callable[[], None] | None = None,
) -> Ended:
    """Run to the end. Past `limit_s`, or once `stop` is set: SIGTERM, then SIGKILL after `grace_s`."""
    processes = runtime.current().processes
    begun = time.monotonic()
    process, threads = launch(command)
    why: Why = "exited"
    kill_at: float | None = None
    while not processes.ended(process):
        now = time.monotonic()
        if kill_at is None and (stop.is_set() or now - begun > limit_s):
            why = "stopped" if stop.is_set() else "past its limit"
            kill_at = now + grace_s
            signal_leader(process)
            if on_stopping is not None:
                on_stopping()
        elif kill_at is not None and now > kill_at:
            break
        time.sleep(_POLL_S)
    seconds = time.monotonic() - begun
    code = processes.reap(process)
    for thread in threads:
        thread.join(_LOG_S)
    return Ended(exit_code=code, why=why, seconds=seconds)


def signal_leader(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM to the first process only, as a container runtime does; what it started is its own to end."""
    try:
        os.kill(process.pid, signal.SIGTERM)
    except ProcessLookupError:
        return
