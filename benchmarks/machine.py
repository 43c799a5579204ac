"""What the figures were measured on, and the memory of a tree of processes."""

import contextlib
import os
import platform
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

_GIB = 1024**3


def describe() -> str:
    """The machine in one line."""
    cpu = platform.processor() or platform.machine()
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    cores = len(os.sched_getaffinity(0))
    memory = psutil.virtual_memory().total / _GIB
    system = f"{platform.system()} {platform.release()}"
    return f"{cpu}, {cores} cores, {memory:.0f} GiB, {system}, Python {platform.python_version()}"


class PeakMemory:
    """The highest sum of the proportional set sizes of a rehearsal: its server, its commands and all their children.

    Proportional (PSS), because processes of one interpreter share pages and would be counted many times over otherwise.
    """

    def __init__(self, rehearsal: str, period_s: float = 0.5) -> None:
        self.bytes = 0
        self._rehearsal = rehearsal
        self._period_s = period_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(self._period_s):
            self.bytes = max(self.bytes, sum(map(_pss, self._processes())))

    def _processes(self) -> set[psutil.Process]:
        found: set[psutil.Process] = set()
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if any(part == self._rehearsal or f"/.local/{self._rehearsal}" in part for part in process.cmdline()):
                    found |= {process, *process.children(recursive=True)}
        return found


def _pss(process: psutil.Process) -> int:
    try:
        return process.memory_full_info().pss
    except psutil.Error:
        return 0
