"""Processes in groups of their own: started, noted on disk, and ended without ever hitting a recycled pid.

A note per process (pid and start time) lets the next command end what a server that was killed outright left behind.
"""

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

_POLL_S = 0.05
_DYING_S = 10.0
"""What a process may take to die of SIGKILL where processors are scarce."""
_PROC = Path("/proc")


class ClosedError(RuntimeError):
    """The rehearsal is ending: nothing new is started."""


def start_time(pid: int) -> str | None:
    """When the process started, in the kernel's own words; None once it is gone (a zombie is gone)."""
    if _has_proc():
        fields = _fields(_PROC / str(pid) / "stat")
        return fields[19] if fields else None  # proc(5): field 22 is the start time
    done = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, started = done.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else started.strip()


def _has_proc() -> bool:
    return (_PROC / "self").exists()


def _fields(stat: Path) -> list[str] | None:
    """Fields 3 (the state) and on of proc(5)'s stat; None once the process is gone (a zombie is gone)."""
    try:
        fields = stat.read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields


def signal_group(pid: int, number: int) -> None:
    """Send a signal to the process group that `pid` leads; one that is gone is no error."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def group_alive(pid: int) -> bool:
    """Whether any process of the group still runs; where there is no /proc, a zombie counts as well."""
    try:
        os.killpg(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return not _has_proc() or pid in _groups()


def _groups() -> Iterator[int]:
    """The group of each running process (proc(5): field 5)."""
    for stat in _PROC.glob("[0-9]*/stat"):
        fields = _fields(stat)
        if fields:
            yield int(fields[2])


def end_groups(pids: Sequence[int], *, grace_s: float) -> None:
    """SIGTERM to each group, SIGKILL to those still there after `grace_s`; returns when all are gone."""
    for number, seconds in ((signal.SIGTERM, grace_s), (signal.SIGKILL, _DYING_S)):
        for pid in pids:
            signal_group(pid, number)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and any(group_alive(pid) for pid in pids):
            time.sleep(_POLL_S)


def sweep(notes: Path, *, grace_s: float = 2.0) -> int:
    """End the processes that a dead server noted in `notes`; returns how many still ran."""
    found: list[int] = []
    for note in sorted(notes.glob("*.json")) if notes.is_dir() else []:
        with contextlib.suppress(ValueError, KeyError, OSError):
            content = json.loads(note.read_text())
            pid = int(content["pid"])
            if start_time(pid) == content["started"]:
                found.append(pid)
        note.unlink(missing_ok=True)
    end_groups(found, grace_s=grace_s)
    return len(found)


class Processes:
    """Every process that this server started and that has not been reaped yet."""

    def __init__(self, notes: Path) -> None:
        self._notes = notes
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self._lock = threading.Lock()
        self._closed = False

    def start(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        environment: Mapping[str, str],
        stdout: int | IO[bytes],
        stderr: int | IO[bytes],
    ) -> subprocess.Popen[bytes]:
        """Start a process that leads a session of its own. Raises ClosedError once the server is ending."""
        with self._lock:
            if self._closed:
                raise ClosedError("the rehearsal is stopping")
            process = subprocess.Popen(
                list(command),
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
            self._running[process.pid] = process
        self._notes.mkdir(parents=True, exist_ok=True)
        note = {"pid": process.pid, "started": start_time(process.pid), "command": list(command)}
        half = self._note(process).with_suffix(".half")
        half.write_text(json.dumps(note))
        half.replace(self._note(process))
        return process

    def ended(self, process: subprocess.Popen[bytes]) -> bool:
        """Whether the process ended; it is not reaped, so that its pid stays taken while its group is ended."""
        if process.returncode is not None:
            return True
        try:
            return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None
        except ChildProcessError:
            return True

    def reap(self, process: subprocess.Popen[bytes]) -> int:
        """End whatever the ended process left in its group; returns its exit code, 128 + n after signal n."""
        signal_group(process.pid, signal.SIGKILL)
        code = process.wait()
        with self._lock:
            self._running.pop(process.pid, None)
        self._note(process).unlink(missing_ok=True)
        return code if code >= 0 else 128 - code

    def close(self, *, grace_s: float) -> None:
        """Start nothing more and end everything that runs."""
        with self._lock:
            self._closed = True
            pids = list(self._running)
        end_groups(pids, grace_s=grace_s)

    def _note(self, process: subprocess.Popen[bytes]) -> Path:
        return self._notes / f"{process.pid}.json"
