import mmap
import os

import pytest

from serving.observe import shared


def test_what_a_forked_process_counts_is_seen_and_outlives_it(memory: mmap.mmap) -> None:
    child = os.fork()
    if not child:
        shared.region(memory, 1)[shared.CAPTURED] = 7
        os._exit(0)
    os.waitpid(child, 0)
    assert shared.region(memory, 1)[shared.CAPTURED] == 7
    assert shared.region(memory, 0)[shared.CAPTURED] == 0


def test_a_worker_that_begins_keeps_counters_and_resets_gauges(memory: mmap.mmap) -> None:
    cells = shared.region(memory, 0)
    cells[shared.CONNECTIONS], cells[shared.RESTARTS], cells[shared.READY] = 5, 2, 1
    shared.begin(cells, pid=42, now=10.0)
    assert (cells[shared.CONNECTIONS], cells[shared.READY]) == (0, 0)
    assert (cells[shared.RESTARTS], cells[shared.PID], cells[shared.STARTED]) == (2, 42, 10.0)


def test_slots_are_counted_and_no_other_is_given() -> None:
    memory = shared.allocate(3)
    assert shared.slot_count(memory) == len(list(shared.regions(memory))) == 3
    with pytest.raises(IndexError, match="slot 3; there are 3"):
        shared.region(memory, 3)
    with pytest.raises(ValueError, match="slots is 0"):
        shared.allocate(0)


def test_the_supervisor_needs_nothing_but_the_standard_library() -> None:
    """It is imported by a process that must stay small; layout and series are the workers'."""
    source = shared.__file__ or ""
    with open(source, encoding="utf-8") as file:  # noqa: PTH123
        imports = [line for line in file if line.startswith(("import ", "from "))]
    assert {line.split()[1].split(".")[0] for line in imports} == {"mmap", "collections", "typing"}
