"""What the kernel says of a process's share of the processors. Standard library only: the supervisor imports this.

It is the share of the process's main thread, which is where a worker's event loop turns.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True)
class ProcessorTime:
    """Seconds of a process's main thread since it began."""

    ran: float
    waited: float
    """Time in which it could have run, had there been a processor for it; a wait counts once it is over."""
    runnable: bool = False
    """Whether it has a processor now or waits for one: who sleeps, and who is stopped, does neither."""


def processor_time(pid: int) -> ProcessorTime:
    """The times of `pid` by /proc/PID/schedstat (sched-stats.rst of Linux); none where the kernel does not tell."""
    process = Path(f"/proc/{pid}")
    try:
        ran, waited, _ = (process / "schedstat").read_text(encoding="ascii").split()
        # The state follows the name, which stands in brackets and may hold any character itself (proc_pid_stat(5)).
        state = (process / "stat").read_bytes().rpartition(b") ")[2][:1]
    except (OSError, ValueError):
        return ProcessorTime(0.0, 0.0)
    return ProcessorTime(int(ran) / 1e9, int(waited) / 1e9, runnable=state == b"R")


class ProcessorShare:
    """What a process has had of the processors, with the wait that it is in: the kernel adds that when it is over."""

    def __init__(self, pid: int) -> None:
        self._pid: Final = pid
        self._seen = ProcessorTime(0.0, 0.0)
        self._since = 0.0
        """When it was first seen as it was seen last."""

    def look(self, now: float) -> ProcessorTime:
        """Its times at `now`. Who was runnable at the last look and has not run since has waited all the while."""
        seen = processor_time(self._pid)
        # A kernel that keeps no times tells zeros of everybody.
        if seen != self._seen or not (seen.runnable and seen.ran):
            self._seen, self._since = seen, now
        return ProcessorTime(seen.ran, seen.waited + now - self._since, runnable=seen.runnable)
