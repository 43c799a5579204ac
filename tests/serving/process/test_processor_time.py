"""A process's share of the processors, as the kernel of this machine tells it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from serving.process.processor_time import ProcessorTime, processor_time

pytestmark = pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="needs Linux with schedstats")


def test_who_works_has_run() -> None:
    begun = processor_time(os.getpid()).ran
    until = time.thread_time() + 0.05
    while time.thread_time() < until:
        pass
    assert processor_time(os.getpid()).ran - begun > 0.04


def test_of_two_on_one_processor_each_waits_for_the_other() -> None:
    command = [sys.executable, "-c", "while True: pass"]
    one = min(os.sched_getaffinity(0))
    both = [subprocess.Popen(["taskset", "--cpu-list", str(one), *command]) for _ in range(2)]
    try:
        deadline = time.monotonic() + 60
        while any(processor_time(each.pid).waited < 0.1 for each in both):
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        for each in both:
            each.kill()
            each.wait()


def test_who_is_stopped_does_not_wait() -> None:
    stopped = subprocess.Popen(["sleep", "60"])
    try:
        stopped.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, stopped.pid, os.WSTOPPED | os.WNOWAIT)
        before = processor_time(stopped.pid)
        time.sleep(0.3)
        assert processor_time(stopped.pid) == before
    finally:
        stopped.kill()
        stopped.wait()


def test_who_is_gone_tells_nothing() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    assert processor_time(gone.pid) == ProcessorTime(0.0, 0.0)
