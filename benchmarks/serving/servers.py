"""A server process under measurement: started on cores of its own, checked, weighed and stopped."""

import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from benchmarks.serving.bodies import Body
from benchmarks.serving.environments import SetupError
from benchmarks.serving.places import KEPT
from benchmarks.serving.targets import Command, Target

START_SECONDS = 120.0
_POLL_SECONDS = 0.005


class WrongAnswerError(Exception):
    """A server does not answer, or not what the model says; the message says how it was."""


@dataclass(frozen=True, kw_only=True)
class Cores:
    """The processors of the server and of whoever sends the load."""

    server: tuple[int, ...]
    load: tuple[int, ...]


def cores() -> Cores:
    """The last processor for the server, the one before for the load; SetupError on a machine with only one."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        raise SetupError("the bench needs two processors: one for the server, one for the load")
    return Cores(server=(allowed[-1],), load=(allowed[-2],))


def pinned(processors: Sequence[int], arguments: Sequence[str]) -> list[str]:
    """The command line that keeps a program on these processors."""
    return ["taskset", "--cpu-list", ",".join(map(str, processors)), *arguments]


def free_port() -> int:
    """A port of this machine that nobody listens on, with two free ones after it."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return min(one.getsockname()[1], 65_000)


class Server:
    """A running server; leaving the block ends it and all its children."""

    def __init__(self, name: str, command: Command, port: int, processors: Sequence[int]) -> None:
        self.port = port
        logs = KEPT / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        self.log = logs / f"{name}.log"
        self.began = time.perf_counter()
        with self.log.open("wb") as file:
            self._process = subprocess.Popen(
                pinned(processors, command.arguments),
                env=os.environ | dict(command.environ),
                cwd=command.folder,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        every = self.processes()
        self._process.terminate()
        _, alive = psutil.wait_procs(every, timeout=8)
        for process in alive:
            with contextlib.suppress(psutil.Error):
                process.kill()
        self._process.wait()

    def processes(self) -> list[psutil.Process]:
        """The server and its children."""
        try:
            root = psutil.Process(self._process.pid)
            return [root, *root.children(recursive=True)]
        except psutil.Error:
            return []

    def worker(self) -> int:
        """The process id of its only worker; WrongAnswerError where it has none, or several."""
        children = self.processes()[1:]
        if len(children) != 1:
            raise WrongAnswerError(f"the server has {len(children)} processes below it, not one worker")
        return children[0].pid

    def resident_bytes(self) -> int:
        """Resident set sizes of all its processes, summed: pages that they share are counted in each."""
        return self._memory("rss")

    def proportional_bytes(self) -> int:
        """Proportional set sizes, summed: a page that several share is counted once."""
        return self._memory("pss")

    def processor_seconds(self) -> float:
        """Processor time of all its processes so far."""
        total = 0.0
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                total += times.user + times.system
        return total

    def _memory(self, of: str) -> int:
        total = 0
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                total += getattr(process.memory_full_info(), of)
        return total

    def wait_for(self, target: Target, body: Body, expected: list[float]) -> float:
        """Seconds from the start to the first right answer; WrongAnswerError when it ends, never answers, or answers
        something else than `expected`."""
        said = "no answer at all"
        while time.perf_counter() - self.began < START_SECONDS:
            if self._process.poll() is not None:
                raise WrongAnswerError(f"the server ended: {self.last_words()}")
            with contextlib.suppress(OSError, http.client.HTTPException):
                status, content = self.ask("POST", target.path, body)
                if status == 200:
                    seconds = time.perf_counter() - self.began
                    check(target, content, expected)
                    return seconds
                said = f"{status} {content[:200].decode(errors='replace')}"
            time.sleep(_POLL_SECONDS)
        raise WrongAnswerError(f"not ready within {START_SECONDS:g} s: {said}; {self.last_words()}")

    def ask(self, method: str, path: str, body: Body | None = None) -> tuple[int, bytes]:
        """Status and content of one answer; OSError when nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            headers = {"Content-Type": body.content_type, "Accept": body.accept} if body else {}
            connection.request(method, path, body.content if body else None, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def last_words(self) -> str:
        """The last line of its log."""
        lines = [line for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        return lines[-1].strip()[:200] if lines else "it said nothing"


def check(target: Target, content: bytes, expected: Sequence[float]) -> None:
    """WrongAnswerError unless the answer holds the expected predictions, to a part in ten thousand."""
    found = target.predictions(json.loads(content))
    pairs: list[tuple[Any, float]] = list(zip(found, expected, strict=False))
    if len(found) != len(expected) or any(abs(one - other) > 1e-4 * abs(other) for one, other in pairs):
        raise WrongAnswerError(f"answered {found[:3]} …, the model says {list(expected)[:3]} …")


def needs(*programs: str) -> None:
    """SetupError unless the programs are on PATH."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        raise SetupError(f"there is no {', '.join(missing)} here")


def executable(path: Path) -> bool:
    """Whether `path` is a program."""
    return path.is_file() and os.access(path, os.X_OK)
