"""A container's life until it exits, is stopped or runs past its limit: as a process, or by podman with an engine."""

import hashlib
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rehearsal.aws import container, runtime
from rehearsal.aws.images import Image
from rehearsal.aws.images import command as image_words
from rehearsal.aws.jobs.logs import LogStream
from rehearsal.containers import training_packages
from rehearsal.containers.box import Box, open_to_all, run_environment, run_words

_POLL_S = 0.1
_LOG_S = 30.0
"""What a dead container's last lines may take; longer only where a process that left its group holds the pipe."""
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
    """What to start, where, with which environment, and where its two outputs go (the second may be the first).

    With a box, podman runs that, and `environment` is what the container sees.
    """

    words: list[str]
    folder: Path
    environment: dict[str, str]
    output: LogStream
    errors: LogStream | None = None
    box: Box | None = None


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
        **_reaching_aws(),
        **variables,
    }


def of_image(
    image: Image,
    *,
    home: Path,
    entrypoint: list[str] | None,
    arguments: list[str],
    variables: dict[str, str],
    alone: bool,
    log: LogStream,
) -> Command:
    """How to start the container of an image whose `/opt/ml` is `opt/ml` in `home`; `alone` is network isolation."""
    base = home / "opt" / "ml"
    current = runtime.current()
    if current.engine is None:
        base_folder = {"SAGEMAKER_BASE_DIR": str(base)}
        whole = environment(home, sources=[image.root], variables={**image.environment, **variables, **base_folder})
        box = None
    else:
        whole = {**_reaching_aws(), **variables}
        box = Box(
            name=_box_name(home),
            image=image.id,
            owner=str(current.state_dir),
            base=base,
            isolated=alone,
            packages=image.labels.get(training_packages.LABEL),
            entrypoint=tuple(entrypoint or ()),
            arguments=tuple(arguments),
        )
    return Command(
        words=image_words(image, entrypoint, arguments),
        folder=image.folder if box is None else home,
        environment=isolated(whole) if alone else whole,
        output=log,
        box=box,
    )


def _box_name(home: Path) -> str:
    """A name podman takes, which no other container of this machine has."""
    readable = re.sub(r"[^a-zA-Z0-9_.-]", "-", home.name)[:40]
    return f"drivetrain-{readable}-{hashlib.sha256(str(home).encode()).hexdigest()[:12]}"


def _reaching_aws() -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": runtime.current().endpoint_url,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "3",
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
    words, variables = _started_by(command)
    process = runtime.current().processes.start(
        words,
        folder=command.folder,
        environment=variables,
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
    begun = time.monotonic()
    process, threads = launch(command)
    try:
        why = _watch(process, until=begun + limit_s, stop=stop, grace_s=grace_s, on_stopping=on_stopping)
        seconds = time.monotonic() - begun
    finally:
        code = reap(process, command)
        hear_out(threads)
    return Ended(exit_code=code, why=why, seconds=seconds)


def _watch(
    process: subprocess.Popen[bytes],
    *,
    until: float,
    stop: threading.Event,
    grace_s: float,
    on_stopping: Callable[[], None] | None,
) -> Why:
    """Wait until it has ended, or has used up its grace; what `on_stopping` raises is raised."""
    processes = runtime.current().processes
    why: Why = "exited"
    kill_at: float | None = None
    while not processes.ended(process):
        now = time.monotonic()
        if kill_at is None and (stop.is_set() or now > until):
            why = "stopped" if stop.is_set() else "past its limit"
            kill_at = now + grace_s
            signal_leader(process)
            if on_stopping is not None:
                on_stopping()
        elif kill_at is not None and now > kill_at:
            break
        time.sleep(_POLL_S)
    return why


def hear_out(threads: list[threading.Thread]) -> None:
    """Wait until everything that an ended process printed is in its log."""
    for thread in threads:
        thread.join(_LOG_S)


def reap(process: subprocess.Popen[bytes], command: Command) -> int:
    """End what is left of it; returns its exit code."""
    code = runtime.current().processes.reap(process)
    engine = runtime.current().engine
    if engine is not None and command.box is not None:
        engine.remove(command.box.name)
    return code


def _started_by(command: Command) -> tuple[list[str], dict[str, str]]:
    engine = runtime.current().engine
    if engine is None or command.box is None:
        return command.words, command.environment
    open_to_all(command.box.base)
    command.box.pid_file.unlink(missing_ok=True)
    return run_words(engine, command.box, command.environment), run_environment(engine, command.environment)


def signal_leader(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM to the first process only, as a container runtime does; what it started is its own to end."""
    try:
        os.kill(process.pid, signal.SIGTERM)
    except ProcessLookupError:
        return
