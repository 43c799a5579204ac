"""Structured logs: one JSON object a line on stderr, written by a thread, so that a full pipe stops no event loop.

A record names what happened and to which request, never a body or a value of it. What the thread cannot write in time
is dropped and counted. Standard library only: the supervisor logs too.
"""

import io
import json
import os
import queue
import select
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from serving.observe.levels import LEVELS, Level

Field = str | int | float | bool | None

TRACE: Final = "trace"
_WAITING: Final = 1000
"""Records that may wait for the thread."""
_LONGEST: Final = 4096
"""PIPE_BUF: a line up to that many bytes is never mixed with another process's."""
_TEXT: Final = (2500, 800, 150)
"""Characters of a text in a record; the first of them that makes a line short enough."""
_STDERR: Final = 2


def _nothing() -> None:
    """Nobody counts."""


class Log:
    """Takes records from any thread. `start` it after forking: threads do not survive a fork."""

    def __init__(
        self,
        *,
        level: Level = "info",
        descriptor: int = _STDERR,
        dropped: Callable[[], None] = _nothing,
        clock: Callable[[], float] = time.time,
        **always: Field,
    ) -> None:
        """`always` are fields of every record; `dropped` is called for each record that is lost."""
        self._least = LEVELS.index(level)
        self._descriptor = descriptor
        self._dropped = dropped
        self._clock = clock
        self._always = always
        self._queue: queue.Queue[dict[str, Field] | None] = queue.Queue(_WAITING)
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Write from a thread from now on. Before that, and in a process that never calls it, `write` writes inline."""
        self._thread = threading.Thread(target=self._write_all, name="log", daemon=True)
        self._thread.start()

    def write(self, level: Level, message: str, **fields: Field) -> None:
        """Log `message`; never waits once the thread runs, never raises."""
        if LEVELS.index(level) < self._least:
            return
        record = {"time": self._clock(), "level": level, "message": message, **self._always, **fields}
        if self._thread is None:
            # A descriptor that has room has it for a whole line, so this does not wait either.
            if _has_room(self._descriptor):
                self._write(record)
            else:
                self._dropped()
            return
        try:
            self._queue.put_nowait(record)
        except queue.Full:
            self._dropped()

    def close(self, seconds: float = 1.0) -> None:
        """Write what waits, for at most `seconds`: nobody may be reading."""
        thread, deadline = self._thread, time.monotonic() + seconds
        if thread is None:
            return
        try:
            self._queue.put(None, timeout=seconds)
        except queue.Full:
            return
        thread.join(max(deadline - time.monotonic(), 0.0))

    def _write_all(self) -> None:
        while (record := self._queue.get()) is not None:
            self._write(record)

    def _write(self, record: dict[str, Field]) -> None:
        try:
            line = memoryview(format_record(record))
            while line:
                line = line[os.write(self._descriptor, line) :]
        except OSError:
            self._dropped()


def format_record(record: dict[str, Field]) -> bytes:
    """`record` as a line of JSON; its time, in seconds since the epoch, as ISO 8601 in UTC, and long texts cut."""
    moment = datetime.fromtimestamp(float(record["time"] or 0.0), UTC)
    shown = record | {"time": f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"}
    line = b""
    for longest in _TEXT:
        cut = {name: _cut(name, value, longest) for name, value in shown.items()}
        line = json.dumps(cut, ensure_ascii=False, default=str).encode(errors="replace") + b"\n"
        if len(line) <= _LONGEST:
            break
    return line


def _cut(name: str, value: Field, longest: int) -> Field:
    """A text of at most `longest` characters; of a trace the end says most."""
    if not isinstance(value, str) or len(value) <= longest:
        return value
    return "…" + value[-longest:] if name == TRACE else value[:longest] + "…"


def _has_room(descriptor: int) -> bool:
    waiting = select.poll()
    waiting.register(descriptor, select.POLLOUT)
    return bool(waiting.poll(0))


class LogStream(io.TextIOBase):
    """Stands in for sys.stderr: what is written at once is one record, a traceback with the error as its message."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, text: str, /) -> int:
        """Log `text`."""
        lines = text.strip().splitlines()
        if lines:
            trace = {TRACE: text.strip()} if len(lines) > 1 else {}
            self._log.write("error", lines[-1], **trace)
        return len(text)
