"""What the kernel says of a process's share of the processors. Standard library only: the supervisor imports this."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ProcessorTime:
    """Seconds of a process's main thread since it began."""

    ran: float
    waited: float
    """Time in which it could have run, had there been a processor for it."""


def processor_time(pid: int) -> ProcessorTime:
    """The times of `pid` by /proc/PID/schedstat (sched-stats.rst of Linux); none where the kernel does not tell."""
    try:
        ran, waited, _ = Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return ProcessorTime(0.0, 0.0)
    return ProcessorTime(int(ran) / 1e9, int(waited) / 1e9)
