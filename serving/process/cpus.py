"""How many processors and how much memory the container may use, and what follows for workers and threads.

The rule: a worker a processor, at least one, and no more than the memory limit holds at 160 MB each; the model of each
runs on as many threads as processors are left to it, which is one. A fraction of a processor counts as none, since a
second worker would only take turns with the first. Standard library only: the supervisor imports this.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

WORKER_BYTES: Final = 160_000_000
_CGROUP: Final = Path("/sys/fs/cgroup")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Processes of the group, and what each may use."""

    workers: int
    threads: int
    """Of one run of a model."""
    unshared: bool
    """Whether each worker has a processor of its own."""


def plan(cpus: float, memory: int | None, workers: int | None, threads: int | None) -> Plan:
    """Workers and threads for `cpus` processors and `memory` bytes (None for no limit), where they are not given."""
    if workers is None:
        most = max(1, memory // WORKER_BYTES) if memory else max(1, int(cpus))
        workers = min(max(1, int(cpus)), most)
    if threads is None:
        threads = max(1, int(cpus / workers))
    return Plan(workers=workers, threads=threads, unshared=workers * threads <= cpus)


def cpu_limit(cgroup: Path = _CGROUP, affinity: int | None = None) -> float:
    """Processors that this process may use: the least of its affinity and its control group's quota."""
    available = len(os.sched_getaffinity(0)) if affinity is None else affinity
    return min(float(available), _quota(cgroup))


def memory_limit(cgroup: Path = _CGROUP) -> int | None:
    """Bytes that the control group may use; None without a limit."""
    text = _read(cgroup / "memory.max") or _read(cgroup / "memory" / "memory.limit_in_bytes")
    # Version 1 writes no limit as a number near 2**63.
    return int(text) if text.isdigit() and int(text) < 2**60 else None


def _quota(cgroup: Path) -> float:
    """Processors by quota and period; infinity without one. Version 2 has one file for them, version 1 two."""
    quota, _, period = _read(cgroup / "cpu.max").partition(" ")
    if not quota:
        quota, period = _read(cgroup / "cpu" / "cpu.cfs_quota_us"), _read(cgroup / "cpu" / "cpu.cfs_period_us")
    if not (quota.isdigit() and period.isdigit() and int(period)):
        return float("inf")
    return int(quota) / int(period)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
