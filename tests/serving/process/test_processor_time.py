"""A process's share of the processors, as the kernel of this machine tells it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from serving.process import processor_time as module
from serving.process.processor_time import ProcessorShare, ProcessorTime, processor_time

needs_schedstats = pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="needs Linux with schedstats")


class Kernel:
    """What is told of a process whose pid is from nowhere."""

    def __init__(self) -> None:
        self.tells = ProcessorTime(3.0, 1.0)
        self.share = ProcessorShare(4242)

    def look(self, now: float, tells: ProcessorTime) -> tuple[float, float]:
        self.tells = tells
        used = self.share.look(now)
        return round(used.ran, 3), round(used.waited, 3)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    made = Kernel()
    monkeypatch.setattr(module, "processor_time", lambda _: made.tells)
    return made


def test_a_wait_counts_while_it_goes_on_and_once(kernel: Kernel) -> None:
    kernel.look(10.0, ProcessorTime(3.0, 1.0))
    waiting = ProcessorTime(3.1, 1.0, runnable=True)
    assert [kernel.look(now, waiting) for now in (10.1, 10.2, 12.1)] == [(3.1, 1.0), (3.1, 1.1), (3.1, 3.0)]
    assert kernel.look(12.2, ProcessorTime(3.15, 3.05, runnable=True)) == (3.15, 3.05)
    assert kernel.look(12.3, ProcessorTime(3.15, 3.05, runnable=True)) == (3.15, 3.15)


def test_who_was_asleep_at_the_last_look_has_only_begun_to_wait(kernel: Kernel) -> None:
    kernel.look(10.0, ProcessorTime(3.0, 1.0))
    assert kernel.look(15.0, ProcessorTime(3.0, 1.0, runnable=True)) == (3.0, 1.0)
    assert kernel.look(15.5, ProcessorTime(3.0, 1.0, runnable=True)) == (3.0, 1.5)


def test_who_is_asleep_does_not_wait(kernel: Kernel) -> None:
    asleep = ProcessorTime(3.0, 1.0)
    assert [kernel.look(now, asleep) for now in (10.0, 11.0, 12.0)] == [(3.0, 1.0)] * 3


def test_where_the_kernel_tells_no_times_nobody_is_said_to_wait(kernel: Kernel) -> None:
    silent = ProcessorTime(0.0, 0.0, runnable=True)
    assert [kernel.look(now, silent) for now in (10.0, 11.0, 12.0)] == [(0.0, 0.0)] * 3


def test_a_name_with_brackets_hides_no_state(tmp_path: Path) -> None:
    sleeping = tmp_path / "odd) R (name"
    sleeping.symlink_to("/bin/sleep")
    process = subprocess.Popen([sleeping, "60"])
    try:
        deadline = time.monotonic() + 60
        while processor_time(process.pid).runnable:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        process.kill()
        process.wait()


@needs_schedstats
def test_who_works_has_run() -> None:
    begun = processor_time(os.getpid()).ran
    until = time.thread_time() + 0.05
    while time.thread_time() < until:
        pass
    assert processor_time(os.getpid()).ran - begun > 0.04


@needs_schedstats
def test_of_two_on_one_processor_each_waits_for_the_other() -> None:
    command = [sys.executable, "-c", "while True: pass"]
    one = min(os.sched_getaffinity(0))
    both = [subprocess.Popen(["taskset", "--cpu-list", str(one), *command]) for _ in range(2)]
    try:
        deadline = time.monotonic() + 60
        while any(processor_time(each.pid).waited < 0.1 for each in both):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert all(processor_time(each.pid).runnable for each in both)
    finally:
        for each in both:
            each.kill()
            each.wait()


@needs_schedstats
def test_who_is_stopped_does_not_wait() -> None:
    stopped = subprocess.Popen(["sleep", "60"])
    try:
        stopped.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, stopped.pid, os.WSTOPPED | os.WNOWAIT)
        before = processor_time(stopped.pid)
        time.sleep(0.3)
        assert processor_time(stopped.pid) == before
        assert not before.runnable
    finally:
        stopped.kill()
        stopped.wait()


def test_who_is_gone_tells_nothing() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    assert processor_time(gone.pid) == ProcessorTime(0.0, 0.0)
