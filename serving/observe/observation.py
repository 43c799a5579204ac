"""What a worker observes with: the counting Observer and, as the settings say, logs, captured traffic and traces."""

import mmap
import sys
import time
from functools import partial
from typing import Final, TextIO, cast

from serving.observe import shared
from serving.observe.access import AccessLog
from serving.observe.batch import Follower
from serving.observe.capture.capture import Capture
from serving.observe.logs import Log, LogStream
from serving.observe.metrics import Observer
from serving.observe.settings import ObservationSettings

_CAPTURE_SECONDS: Final = 5.0
_PART_SECONDS: Final = 2.0
"""Longest time for traces, and for the log, however much is left: a receiver that is dead must not draw out a stop."""


class Observation:
    """Made in the worker, after the fork: its threads would not survive one."""

    def __init__(self, memory: mmap.mmap, slot: int, settings: ObservationSettings) -> None:
        """Count in `slot` of `memory` (see shared.allocate), whose counts go on."""
        cells = shared.region(memory, slot)
        dropped = partial(_count, cells, shared.LOGS_DROPPED)
        self.log: Final = Log(level=settings.log_level, dropped=dropped, worker=slot)
        self._stderr = sys.stderr
        self._capture = None
        self._traces = None
        followers: list[Follower] = []
        if settings.access_log != "off":
            access = AccessLog(self.log, which=settings.access_log, slow_seconds=settings.slow_seconds, dropped=dropped)
            followers.append(access)
        if settings.capture_dir is not None:
            self._capture = Capture(settings.capture_dir, cells, self.log, percent=settings.capture_percent)
            followers.append(self._capture)
        if settings.otlp_endpoint:
            # OpenTelemetry takes a third of a second to import; who does not use it does not wait for it.
            from serving.observe.traces import Traces  # noqa: PLC0415

            self._traces = Traces(settings.otlp_endpoint, cells, self.log, ratio=settings.trace_ratio)
            followers.append(self._traces)
        self.observer: Final = Observer(memory, slot, followers=followers)

    def start(self) -> None:
        """Start the threads that write and send; what others print on stderr becomes records, too."""
        self.log.start()
        sys.stderr = cast("TextIO", LogStream(self.log))
        for part in (self._capture, self._traces):
            if part is not None:
                part.start()

    def close(self, seconds: float) -> None:
        """Write and send what waits, within `seconds`; what is left then is lost.

        Captured traffic comes first, since files without a name are lost whole.
        """
        until = time.monotonic() + seconds
        if self._capture is not None:
            self._capture.close(max(min(seconds, _CAPTURE_SECONDS), 0.0))
        if self._traces is not None:
            # Half of what is left, so that the log, which may tell why, has as much.
            self._traces.close(max(min((until - time.monotonic()) / 2, _PART_SECONDS), 0.0))
        sys.stderr = self._stderr
        self.log.close(max(min(until - time.monotonic(), _PART_SECONDS), 0.0))


def _count(cells: shared.Cells, cell: int) -> None:
    cells[cell] += 1
