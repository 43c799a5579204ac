"""Keeps a sample of the traffic without ever making a request wait.

The event loop only puts references into a bounded queue. A thread turns them into lines and writes them, and since it
shares the interpreter's lock with the event loop it works in small parts and uses a tenth of a core at most.
What it cannot keep up with is dropped and counted; so is what cannot be written, such as on a full disk, and it goes on
by itself as soon as there is room.
"""

import random
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from serving.core.errors import RequestError
from serving.observe import shared
from serving.observe.batch import Batch, Called, is_trial
from serving.observe.capture.files import CaptureFile, recover
from serving.observe.capture.record import Captured, line
from serving.observe.logs import Log

VARIANT: Final = "main"
"""What infra/ calls the only variant of an endpoint."""
_WAITING_REQUESTS: Final = 10_000
_WAITING_VALUES: Final = 2_000_000
"""16 MB: what waits must not grow with what callers send."""
_LINES_AT_ONCE: Final = 16
_LARGEST_BYTES: Final = 8_000_000
_OLDEST_SECONDS: Final = 60.0
_IDLE_SECONDS: Final = 0.05
_RETRY_SECONDS: Final = 1.0
_LOG_SECONDS: Final = 60.0
_NAMING_SECONDS: Final = 3.0
"""Of the time of a stop: for what is being written then to be ended, and for the files to get their names."""
_REST: Final = 9.0
"""Seconds of sleep for each second of work."""


class Capture:
    """A follower of the Observer; `start` it in the worker, `close` it before the worker ends."""

    def __init__(
        self,
        folder: Path,
        cells: shared.Cells,
        log: Log,
        *,
        percent: float | None = None,
        oldest_seconds: float = _OLDEST_SECONDS,
        largest_bytes: int = _LARGEST_BYTES,
        retry_seconds: float = _RETRY_SECONDS,
        draw: Callable[[], float] = random.random,
    ) -> None:
        """Write under `folder`; `percent` of the requests, or as each model's specification says."""
        self._folder = folder
        self._cells = cells
        self._log = log
        self._percent = percent
        self._oldest_seconds = oldest_seconds
        self._largest_bytes = largest_bytes
        self._retry_seconds = retry_seconds
        self._draw = draw
        self._queue: deque[Captured] = deque()
        # One thread adds to the first, the other to the second, so neither needs a lock.
        self._put_values = self._taken_values = 0
        self._files: dict[tuple[str, str], CaptureFile] = {}
        self._stopping = threading.Event()
        self._until = 0.0
        """When the last of what waits is written, once it is to stop."""
        self._retry_at = 0.0
        self._log_at = 0.0
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def close(self, seconds: float) -> None:
        """Write what waits and give the files their names, within `seconds`; what is left is counted as lost.

        The last three seconds are for the names. Nobody may come to recover a file without one: the next container has
        another disk.
        """
        self._until = time.monotonic() + seconds - _NAMING_SECONDS
        self._stopping.set()
        self._thread.join(seconds)

    def batch(self, batch: Batch) -> None:
        """Put a sample of the batch's requests into the queue."""
        image = batch.service.spec.image is not None
        percent = batch.service.spec.monitor.capture_percent if self._percent is None else self._percent
        start = 0
        now = time.time()
        for index, job in enumerate(batch.jobs):
            end = start + job.rows
            predictions = batch.answered.predictions[start:end]
            start = end
            if self._draw() * 100 >= percent or isinstance(batch.answered.answers[index], RequestError):
                continue
            if batch.calls and is_trial(batch.calls[index]):
                continue
            values = len(job.body) // 8 if image else job.rows * len(batch.service.spec.features)
            waiting = self._put_values - self._taken_values
            if len(self._queue) >= _WAITING_REQUESTS or (waiting and waiting + values > _WAITING_VALUES):
                self._cells[shared.CAPTURE_DROPPED_FULL] += 1
                continue
            self._put_values += values
            request_id = batch.calls[index].request_id if batch.calls else ""
            self._queue.append(
                Captured(
                    service=batch.service,
                    variant=batch.variant or VARIANT,
                    rows=job.rows,
                    values=() if image else job.values,
                    predictions=predictions,
                    body=job.body if image else b"",
                    content_type=job.content_type if image else "",
                    request_id=request_id,
                    time=now,
                    size=values,
                )
            )

    def refused(self, status: int, code: str, variant: str, call: Called | None) -> None:
        """What was refused is not kept: it may be anything."""

    def _run(self) -> None:
        self._guarded(partial(recover, self._folder), lost=0)
        while not self._stopping.is_set():
            begun = time.thread_time()
            if not self._write_some(self._rest):
                self._stopping.wait(_IDLE_SECONDS)
            else:
                self._stopping.wait(_REST * (time.thread_time() - begun))
            self._each_file(CaptureFile.turn_over)
        while time.monotonic() < self._until and self._write_some(lambda: None):
            pass
        self._cells[shared.CAPTURE_DROPPED_FULL] += len(self._queue)
        self._each_file(CaptureFile.close)

    @staticmethod
    def _rest() -> None:
        time.sleep(0.0005)

    def _write_some(self, pause: Callable[[], None]) -> bool:
        """Write some of what waits; False when nothing does."""
        taken = [self._queue.popleft() for _ in range(min(len(self._queue), _LINES_AT_ONCE))]
        for captured in taken:
            self._taken_values += captured.size
        if taken and time.monotonic() < self._retry_at:
            self._cells[shared.CAPTURE_DROPPED_ERROR] += len(taken)
            return True
        for key in dict.fromkeys((captured.service.spec.name, captured.variant) for captured in taken):
            mine = [part for part in taken if (part.service.spec.name, part.variant) == key]
            if self._guarded(partial(self._write, key, mine, pause), lost=len(mine)):
                self._cells[shared.CAPTURED] += len(mine)
        return bool(taken)

    def _write(self, key: tuple[str, str], mine: list[Captured], pause: Callable[[], None]) -> None:
        self._file(key).write(b"".join([line(captured, pause) for captured in mine]))

    def _file(self, key: tuple[str, str]) -> CaptureFile:
        file = self._files.get(key)
        if file is None:
            folder = self._folder / key[0] / key[1]
            file = CaptureFile(folder, largest_bytes=self._largest_bytes, oldest_seconds=self._oldest_seconds)
            self._files[key] = file
        return file

    def _each_file(self, what: Callable[[CaptureFile], None]) -> None:
        for file in self._files.values():
            self._guarded(partial(what, file), lost=0)

    def _guarded(self, write: Callable[[], object], *, lost: int) -> bool:
        """Whether `write` succeeded. If not, `lost` requests are counted, and it is logged, once a minute."""
        try:
            write()
        except Exception as error:  # whatever it is, the thread goes on, and so do the requests
            now = time.monotonic()
            self._cells[shared.CAPTURE_DROPPED_ERROR] += lost
            self._retry_at = now + self._retry_seconds
            if now >= self._log_at:
                self._log_at = now + _LOG_SECONDS
                reason = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
                self._log.write(
                    "error", f"captured traffic cannot be written to {self._folder}: {reason}; requests go on"
                )
            return False
        return True
