"""Memory that the supervisor makes before it forks and all workers share: one region of float64 cells a worker slot.

A worker writes its own region only, so there are no locks: a cell is eight aligned bytes, stored and read whole. What a
worker counted outlives it, and its successor in the slot goes on counting. Standard library only: the supervisor
imports this. The mapping is anonymous and lazy, so a region costs no more memory than the cells that were touched.
"""

import mmap
from collections.abc import Iterator
from typing import Final, TypeAlias

CELLS: Final = 131_072
"""Cells of a region, 1 MiB."""
CELL_BYTES: Final = 8

Cells: TypeAlias = "memoryview[float]"

# Reserved cells at the start of a region. The supervisor writes PID, RESTARTS and STUCK; the worker all others.
HEARTBEAT: Final = 0
"""time.monotonic() of the last turn of the worker's event loop; 0 before the first. All processes share that clock."""
PID: Final = 1
"""Process id of the worker in this slot; 0 for none."""
RESTARTS: Final = 2
"""How often a worker of this slot was replaced, for whatever reason."""
READY: Final = 3
"""1 while the worker's model answered a warm-up row lately, else 0."""
STUCK: Final = 4
"""How many of RESTARTS were workers that lived but did not turn their event loop any more."""
STARTED: Final = 5
"""time.monotonic() when the worker began."""
CPU_SECONDS: Final = 6
"""Processor time of all workers of this slot so far, in seconds."""
RESIDENT_BYTES: Final = 7
"""Resident memory of the worker, in bytes."""
CONNECTIONS: Final = 8
"""Open connections."""
QUEUE_DEPTH: Final = 9
"""Requests that are accepted and not answered yet."""
ACCEPTED_CONNECTIONS: Final = 10
"""Connections since the first worker of this slot began."""
CANCELLED: Final = 11
"""Requests whose caller went away before the answer."""
SWAPS: Final = 12
"""Models put in the place of another one."""
SWAPS_FAILED: Final = 13
"""Swaps that were refused; the model before went on."""
LOGS_DROPPED: Final = 14
"""Log records lost since nobody read stderr."""
CAPTURED: Final = 15
"""Requests whose capture was written."""
CAPTURE_DROPPED_FULL: Final = 16
"""Captures lost since the writer was behind."""
CAPTURE_DROPPED_ERROR: Final = 17
"""Captures lost since the file could not be written, such as a full disk."""
TRACES_DROPPED: Final = 18
"""Traced requests lost since the exporter was behind."""
TRACES_EXPORTED: Final = 19
"""Traced requests that the receiver took."""

TRACES_REFUSED: Final = 20
"""Traced requests that the receiver did not take."""
SHADOWS_DROPPED: Final = 21
"""Copies for shadow variants that were not run, for want of a quiet moment."""
LOADED: Final = 22
"""1 from when a worker of this slot was ready for the first time."""

FIRST_SERIES: Final = 64
"""From here on a region holds what is counted by model, see serving/observe/series.py."""

_BEGIN_AT_ZERO: Final = (HEARTBEAT, READY, CONNECTIONS, QUEUE_DEPTH, RESIDENT_BYTES)


def allocate(slots: int) -> mmap.mmap:
    """Zeroed memory for `slots` workers, shared with every process that is forked later."""
    if slots < 1:
        raise ValueError(f"slots is {slots}; expected at least 1")
    return mmap.mmap(-1, slots * CELLS * CELL_BYTES, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)


def slot_count(memory: mmap.mmap) -> int:
    """For how many workers `memory` was allocated."""
    return len(memory) // (CELLS * CELL_BYTES)


def region(memory: mmap.mmap, slot: int) -> Cells:
    """The cells of `slot`, to read and to write; IndexError where there is no such slot."""
    if not 0 <= slot < slot_count(memory):
        raise IndexError(f"slot {slot}; there are {slot_count(memory)}")
    return memoryview(memory).cast("d")[slot * CELLS : (slot + 1) * CELLS]


def regions(memory: mmap.mmap) -> Iterator[Cells]:
    """The cells of every slot."""
    return (region(memory, slot) for slot in range(slot_count(memory)))


def begin(cells: Cells, *, pid: int, now: float) -> None:
    """What a worker does first in its slot: gauges begin at zero, counters go on from what its predecessor left."""
    for cell in _BEGIN_AT_ZERO:
        cells[cell] = 0.0
    cells[PID] = float(pid)
    cells[STARTED] = now
