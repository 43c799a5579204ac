"""Log lines, as they come out of a descriptor."""

import json
import os
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from serving.core.call import Call
from serving.observe.access import AccessLog
from serving.observe.batch import Batch
from serving.observe.logs import Log, LogStream

MakeBatch = Callable[..., Batch]


class Written:
    """A file that is written to as stderr is; what was read once is not read again."""

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)

    def lines(self) -> list[dict[str, Any]]:
        size = os.fstat(self.descriptor).st_size
        content = os.pread(self.descriptor, size, 0)
        os.ftruncate(self.descriptor, 0)
        return [json.loads(line) for line in content.splitlines()]


@pytest.fixture
def stderr(tmp_path: Path) -> Iterator[Written]:
    written = Written(tmp_path / "stderr")
    yield written
    os.close(written.descriptor)


@pytest.fixture
def log(stderr: Written) -> Log:
    return Log(descriptor=stderr.descriptor, clock=lambda: 1_795_262_400.25, worker=1)


def test_a_record_is_one_line_of_json(log: Log, stderr: Written) -> None:
    log.write("info", 'ready\n"now"', model="auto-mpg", seconds=0.5)
    assert stderr.lines() == [
        {
            "time": "2026-11-21T12:00:00.250Z",
            "level": "info",
            "message": 'ready\n"now"',
            "worker": 1,
            "model": "auto-mpg",
            "seconds": 0.5,
        }
    ]


def test_what_is_below_the_level_is_not_written(stderr: Written) -> None:
    log = Log(descriptor=stderr.descriptor, level="warning")
    for level in ("debug", "info", "warning", "error"):
        log.write(level, level)
    assert [record["level"] for record in stderr.lines()] == ["warning", "error"]


def test_a_line_fits_into_one_write_to_a_pipe(log: Log, stderr: Written) -> None:
    log.write("info", "é" * 100_000)
    assert os.fstat(stderr.descriptor).st_size < 4096


def test_nobody_waits_for_a_pipe_that_nobody_reads() -> None:
    reading, writing = os.pipe()
    lost: list[int] = []
    log = Log(descriptor=writing, dropped=lambda: lost.append(1))
    log.start()
    took: list[float] = []
    for number in range(5000):
        begun = time.perf_counter()
        log.write("info", "x" * 500, number=number)
        took.append(time.perf_counter() - begun)
    assert sum(sorted(took)[:-50]) < 1, "but for those in which the machine did something else"
    assert sum(took) < 5, "and they did not wait for what comes later either"
    # The queue holds 1000, the pipe 64 KiB at most.
    assert 3700 < len(lost) < 4001
    # Somebody reads at last, and what waited comes.
    reader = threading.Thread(target=log.close, args=(60.0,))
    reader.start()
    content = b""
    while content.count(b"\n") < 5000 - len(lost):
        content += os.read(reading, 1 << 16)
    reader.join()
    assert json.loads(content.splitlines()[0])["number"] == 0
    os.close(reading)
    os.close(writing)


def test_what_waits_is_written_at_the_end(log: Log, stderr: Written) -> None:
    log.start()
    for number in range(20):
        log.write("info", "last words", number=number)
    log.close(60)
    assert [record["number"] for record in stderr.lines()] == list(range(20))


def test_stderr_that_is_closed_is_counted(stderr: Written) -> None:
    lost: list[int] = []
    log = Log(descriptor=1_000_000, dropped=lambda: lost.append(1))
    log.write("error", "nobody hears")
    assert lost == [1]


def test_only_refused_and_slow_requests_are_logged(log: Log, stderr: Written, make_batch: MakeBatch) -> None:
    access = AccessLog(log)
    access.batch(make_batch(queued=0.001))
    access.refused(400, "wrong_type", "", Call(b'{"weight": 4711}', request_id="r-1"))
    access.refused(503, "overloaded", "", None)
    access.batch(make_batch(queued=0.3))
    refused, overloaded, slow = stderr.lines()
    assert (refused["level"], refused["status"], refused["code"]) == ("warning", 400, "wrong_type")
    assert refused["request_id"] == "r-1"
    assert (overloaded["level"], overloaded["status"]) == ("error", 503)
    assert (slow["message"], slow["model"], slow["request_id"]) == ("request was slow", "auto-mpg", "request-0")
    assert slow["milliseconds"] > 300
    assert slow["release"].endswith("auto-mpg/3")


def test_no_value_of_a_request_is_ever_logged(
    log: Log, stderr: Written, make_batch: MakeBatch, car: dict[str, object]
) -> None:
    access = AccessLog(log, which="all")
    access.batch(make_batch([car | {"weight": 4711}]))
    access.refused(400, "out_of_range", "", Call(b'{"weight": 4711}', request_id="r-1"))
    lines = stderr.lines()
    assert [record["message"] for record in lines] == ["request answered", "request refused"]
    assert "4711" not in json.dumps(lines)


def test_a_flood_of_refusals_is_cut(log: Log, stderr: Written) -> None:
    now, lost = 10.0, []
    access = AccessLog(log, dropped=lambda: lost.append(1), clock=lambda: now)
    for _ in range(250):
        access.refused(400, "no_rows", "", None)
    assert (len(stderr.lines()), len(lost)) == (100, 150)
    now = 11.0
    access.refused(400, "no_rows", "", None)
    assert len(stderr.lines()) == 1


def test_slow_is_what_the_setting_says(log: Log, stderr: Written, make_batch: MakeBatch) -> None:
    AccessLog(log, slow_seconds=0.01).batch(make_batch(queued=0.02))
    AccessLog(log, slow_seconds=0.05).batch(make_batch(queued=0.02))
    AccessLog(log, which="off", slow_seconds=0.0).batch(make_batch(queued=0.02))
    assert [record["message"] for record in stderr.lines()] == ["request was slow"]


def test_a_process_without_the_thread_does_not_wait_either() -> None:
    """The supervisor has no thread, and nothing else to do than to watch the workers."""
    reading, writing = os.pipe()
    lost: list[int] = []
    log = Log(descriptor=writing, dropped=lambda: lost.append(1))
    for number in range(1000):
        log.write("info", "x" * 500, number=number)
    assert 800 < len(lost) < 1000
    content = os.read(reading, 1 << 20)
    log.write("info", "there is room again")
    os.close(writing)
    with os.fdopen(reading, "rb") as rest:
        lines = (content + rest.read()).splitlines()
    assert len(lines) == 1001 - len(lost)
    assert json.loads(lines[-1])["message"] == "there is room again"


def test_a_trace_is_one_record(log: Log, stderr: Written) -> None:
    stream = LogStream(log)
    try:
        raise ZeroDivisionError("x" * 5000)
    except ZeroDivisionError:
        stream.write(traceback.format_exc())
    print("a word of a library", file=stream)
    trace, word = stderr.lines()
    assert trace["level"] == "error"
    assert trace["message"].startswith("ZeroDivisionError: xxx")
    assert trace["trace"].endswith("xxx")
    assert len(json.dumps(trace)) < 4096
    assert (word["message"], "trace" in word) == ("a word of a library", False)
