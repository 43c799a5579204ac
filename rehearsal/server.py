"""The rehearsal's server process, seen from outside: start it, find it, stop it.

Its state folder holds `server.json` (port, pid, start time of that pid) and `server.log`. A pid is only ever signalled
while its start time is the noted one, so that a recycled pid is never hit.
"""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.aws.processes import end_groups, signal_group, start_time, sweep
from rehearsal.aws.runtime import NOTES_FOLDER
from rehearsal.containers.engine import ContainerError, open_engine

_READY_S = 60.0
_HEALTH_S = 10.0
"""A process that is there may stand still for a moment; one taken for dead would be ended, with all that it holds."""
_STOP_S = 20.0
_SPAWN_S = 5.0
_POLL_S = 0.05
_LOG_LINES = 15
_PROJECT = Path(__file__).resolve().parent.parent
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "LD_LIBRARY_PATH", "VIRTUAL_ENV")


class ServerError(Exception):
    """The rehearsal cannot be started, reached or stopped; the text says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """A running rehearsal."""

    state_dir: Path
    port: int
    pid: int
    started: str
    containers: Path | None = None
    """The folder of the engine that runs jobs and endpoints in containers; None when they run as processes."""

    @property
    def endpoint_url(self) -> str:
        """The address of every AWS service."""
        return f"http://127.0.0.1:{self.port}"

    def environment(self, account_id: str, region: str) -> dict[str, str]:
        """The variables with which any AWS client works against this rehearsal, as administrator of the account."""
        key = self._call("POST", "credentials", {"account_id": account_id})
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": key["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": key["secret_access_key"],
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_MAX_ATTEMPTS": "2",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def session(self, role_arn: str, region: str) -> dict[str, str]:
        """The variables with which an AWS client is what a job of that role is, whoever the role trusts."""
        credentials = self._call("POST", "session", {"role_arn": role_arn, "region": region})
        plain = {"AWS_MAX_ATTEMPTS": "2", "AWS_EC2_METADATA_DISABLED": "true"}
        return {"AWS_ENDPOINT_URL": self.endpoint_url, **credentials, **plain}

    def endpoints(self) -> list[dict[str, Any]]:
        """The serving processes: account, endpoint, variant, url, pid, model, status."""
        return self._call("GET", "endpoints")

    def set_clock_rate(self, rate: float) -> None:
        """Let declared waits (baking, alarm periods) pass `rate` times as fast from now on."""
        self._call("POST", "clock", {"rate": rate})

    def stop(self) -> None:
        """Stop the server and everything it started; one that is gone already is no error."""
        if start_time(self.pid) == self.started:
            os.kill(self.pid, signal.SIGTERM)
            deadline = time.monotonic() + _STOP_S
            while time.monotonic() < deadline and start_time(self.pid) == self.started:
                time.sleep(_POLL_S)
            if start_time(self.pid) == self.started:
                end_groups([self.pid], grace_s=0)
        end_left_behind(self.state_dir)
        (self.state_dir / "server.json").unlink(missing_ok=True)

    def answers(self) -> bool:
        """Whether the server answers, and is the one of this state folder."""
        try:
            return self._call("GET", "health", timeout_s=_HEALTH_S)["pid"] == self.pid
        except (ServerError, ValueError, KeyError):
            return False

    def _call(self, method: str, path: str, body: object = None, *, timeout_s: float = 30.0) -> Any:
        request = urllib.request.Request(  # noqa: S310 - always http on the loopback
            f"{self.endpoint_url}/rehearsal/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
        )
        try:
            with urllib.request.urlopen(request, timeout=timeout_s) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise ServerError(f"the rehearsal refused {path}: {error.read().decode(errors='replace')}") from error
        except OSError as error:
            raise ServerError(f"the rehearsal at {self.endpoint_url} does not answer: {error}") from error


def running(state_dir: Path) -> Rehearsal | None:
    """The rehearsal of this state folder, or None when none runs."""
    found = _noted(state_dir.resolve())
    return found if found is not None and start_time(found.pid) == found.started and found.answers() else None


def start(
    state_dir: Path, port: int | None = None, *, stop_grace_s: float = 120.0, containers: Path | None = None
) -> Rehearsal:
    """The rehearsal of this state folder, started when none runs; `port` None takes a free one.

    With `containers`, the folder of a container engine, jobs and endpoints run in containers.
    Raises ServerError: port in use, another port than the running one's asked for, or a server that does not come up.
    """
    state_dir = state_dir.resolve()
    state_dir.mkdir(parents=True, exist_ok=True)
    with _starting(state_dir):
        found = running(state_dir)
        if found is not None:
            if port not in (None, found.port):
                raise ServerError(f"the rehearsal already runs on port {found.port}; stop it first to use port {port}")
            return found
        end_left_behind(state_dir)
        (state_dir / "server.json").unlink(missing_ok=True)
        return _spawn(state_dir, port, stop_grace_s=stop_grace_s, containers=containers)


def end_left_behind(state_dir: Path) -> None:
    """End the processes and containers of a server of this state folder that was killed outright."""
    sweep(state_dir / NOTES_FOLDER)
    _remove_containers(state_dir)


def _remove_containers(state_dir: Path) -> int:
    try:
        folder = json.loads((state_dir / "server.json").read_text())["containers"]
        return open_engine(Path(folder)).remove_labelled(str(state_dir.resolve())) if folder else 0
    except (OSError, ValueError, KeyError, ContainerError):
        return 0


def _spawn(state_dir: Path, port: int | None, *, stop_grace_s: float, containers: Path | None) -> Rehearsal:
    log = state_dir / "server.log"
    command = [sys.executable, "-m", "rehearsal.aws", "--port", str(port or 0), "--state", str(state_dir)]
    command += ["--containers", str(containers)] if containers else []
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    spawned: list[subprocess.Popen[bytes]] = []
    tried = threading.Event()

    def spawn() -> None:
        try:
            with log.open("wb") as output:
                spawned.append(
                    subprocess.Popen(
                        [*command, "--stop-grace", str(stop_grace_s)],
                        cwd=state_dir,
                        env={**kept, "PYTHONPATH": str(_PROJECT), "PYTHONUNBUFFERED": "1"},
                        stdin=subprocess.DEVNULL,
                        stdout=output,
                        stderr=subprocess.STDOUT,
                        start_new_session=True,
                    )
                )
        finally:
            tried.set()

    # In a thread, because Ctrl-C in the middle of Popen would leave a process that nobody knows of.
    thread = threading.Thread(target=spawn)
    try:
        thread.start()
        thread.join()
        return _until_ready(state_dir, spawned[0], log)
    except BaseException:
        # Not join(): the thread may be under way while start() was interrupted before it noticed.
        tried.wait(_SPAWN_S)
        for process in spawned:
            _end(process)
        raise


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a server that is just starting, whenever it begins to listen to signals.

    An interrupted command ignores further signals, and what it starts from then on inherits that until it has handlers
    of its own: a single SIGTERM may be lost.
    """
    deadline = time.monotonic() + _STOP_S
    while time.monotonic() < deadline:
        process.terminate()
        try:
            process.wait(timeout=2 * _POLL_S)
        except subprocess.TimeoutExpired:
            continue
        return
    signal_group(process.pid, signal.SIGKILL)
    process.wait()


def _until_ready(state_dir: Path, process: subprocess.Popen[bytes], log: Path) -> Rehearsal:
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ServerError(f"the rehearsal did not start (exit code {process.returncode}):\n{_tail(log)}")
        found = _noted(state_dir)
        if found is not None and found.pid == process.pid and found.answers():
            process.returncode = 0  # it lives on past us by design: no ResourceWarning when we forget it
            return found
        time.sleep(_POLL_S)
    raise ServerError(f"the rehearsal was not ready after {_READY_S:.0f} s:\n{_tail(log)}")


def _noted(state_dir: Path) -> Rehearsal | None:
    try:
        note = json.loads((state_dir / "server.json").read_text())
        return Rehearsal(
            state_dir=state_dir,
            port=int(note["port"]),
            pid=int(note["pid"]),
            started=str(note["started"]),
            containers=Path(note["containers"]) if note.get("containers") else None,
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()[-_LOG_LINES:]
    return "\n".join(lines) or f"(nothing in {log})"


@contextlib.contextmanager
def _starting(state_dir: Path) -> Generator[None]:
    """Two commands that start the same rehearsal at once get one server."""
    with (state_dir / "server.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
