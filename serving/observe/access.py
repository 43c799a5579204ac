"""The access log: which requests are worth a line. By default those that were refused and those that were slow."""

import time
from collections.abc import Callable
from typing import Final

from serving.core.errors import RequestError
from serving.observe.batch import Batch, Called
from serving.observe.levels import AccessLogs, Level
from serving.observe.logs import Log

_A_SECOND: Final = 100
"""Lines a second of refused and slow requests; a caller in a loop must not fill the log."""


class AccessLog:
    """A follower of the Observer that writes lines to `log`."""

    def __init__(
        self,
        log: Log,
        *,
        which: AccessLogs = "refused",
        slow_seconds: float | None = None,
        dropped: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Slow is above `slow_seconds`, or above each model's own monitor.p99_latency_ms."""
        self._log = log
        self._which = which
        self._slow_seconds = slow_seconds
        self._dropped = dropped
        self._clock = clock
        self._second = 0
        self._lines = 0

    def batch(self, batch: Batch) -> None:
        """Log the slow requests, those that failed in the model, or all."""
        if self._which == "off":
            return
        slow = batch.service.spec.monitor.p99_latency_ms / 1000 if self._slow_seconds is None else self._slow_seconds
        everything = self._which == "all"
        run = batch.answered.inference_seconds + batch.answered.encode_seconds
        failed = any(isinstance(answer, RequestError) for answer in batch.answered.answers)
        if not everything and not failed and max(batch.queued_seconds) + run <= slow:
            return
        for index, answer in enumerate(batch.answered.answers):
            if isinstance(answer, RequestError):
                self._write(batch, index, ("error", "request failed"), answer)
            elif batch.seconds(index) > slow:
                self._write(batch, index, ("warning", "request was slow"))
            elif everything:
                self._write(batch, index, ("info", "request answered"))

    def refused(self, status: int, code: str, variant: str, call: Called | None) -> None:
        """Log a refusal: its code, and not its message, which may hold a value."""
        if self._which == "off" or not self._may():
            return
        level: Level = "error" if status >= 500 else "warning"
        request_id = call.request_id if call else ""
        self._log.write(level, "request refused", request_id=request_id, variant=variant, status=status, code=code)

    def _write(self, batch: Batch, index: int, what: tuple[Level, str], error: RequestError | None = None) -> None:
        if not self._may():
            return
        self._log.write(
            *what,
            request_id=batch.calls[index].request_id if batch.calls else "",
            model=batch.service.spec.name,
            release=batch.service.release,
            variant=batch.variant,
            status=error.status if error else 200,
            code=error.code if error else "",
            rows=batch.jobs[index].rows,
            milliseconds=round(batch.seconds(index) * 1000, 3),
        )

    def _may(self) -> bool:
        """Whether this second has a line left; who wants all requests gets all that the log can take."""
        if self._which == "all":
            return True
        second = int(self._clock())
        if second != self._second:
            self._second, self._lines = second, 0
        self._lines += 1
        if self._lines > _A_SECOND:
            self._dropped()
            return False
        return True
