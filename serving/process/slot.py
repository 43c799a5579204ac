"""A worker's place in the group: its socket and memory stay, its processes come and go.

Standard library only: the supervisor imports this.
"""

import os
import signal
import socket
from typing import Final

from serving.observe import shared
from serving.process.channel import Channel
from serving.process.listening import bind_beside
from serving.process.processor_time import ProcessorShare, ProcessorTime

STUCK_SECONDS: Final = 1.5
"""A worker whose event loop has not turned for as long is killed. It turns four times a second by itself."""
BATCH_STUCK_SECONDS: Final = 3600.0
"""The same in the container of a transform job: a payload of megabytes takes its time, nobody else waits meanwhile, and
SageMaker gives up on a request by itself after at most as long (ModelClientConfig)."""
STARTUP_SECONDS: Final = 60.0
"""The same for a worker that has not answered a row yet: it may be loading a large model."""
UNREADY_SECONDS: Final = 30.0
"""A worker whose model has not answered for as long, though its event loop turns, is killed as well. `/ping` says 503
long before: a slow model that is at a large request should end it, not be started anew."""
_ENOUGH: Final = 1 / 3
"""Of the time that it may be silent: with half a second of a processor a healthy event loop turns twice, and with
twenty a healthy worker has loaded its model."""
_LONGEST_PAUSE: Final = 10.0
_FIRST_PAUSE: Final = 0.1
_NO_ROOM_PAUSE: Final = 1.0
"""After a worker that could not be forked."""
_HEALTHY_SECONDS: Final = 10.0
"""A worker that was ready for as long starts its successors' count of failures anew."""


class Slot:
    """One worker's place."""

    def __init__(
        self, number: int, listener: socket.socket, cells: shared.Cells, stuck_seconds: float = STUCK_SECONDS
    ) -> None:
        self.number: Final = number
        self.listener = listener
        self.cells: Final = cells
        self.stuck_seconds: Final = stuck_seconds
        self.pid = 0
        self.channel: Channel | None = None
        self.ready = False
        """Whether the worker of now has ever answered a row."""
        self.start_at = 0.0
        """When the next worker may begin."""
        self.failures = 0
        """Workers that ended one after the other, none of them ready for long."""
        self.barren = 0
        """Workers that ended one after the other without having been ready at all."""
        self._began = 0.0
        self._ready_at = 0.0
        self._unready_since: float | None = None
        self._share = ProcessorShare(0)
        self._heard = 0.0
        """The last sign of life;"""
        self._used = ProcessorTime(0.0, 0.0)
        """and what the worker had had of the processors when it was seen."""
        self._killed = False
        self._address: object = None
        """Where to listen again; None while the listener is open."""

    def withdraw(self) -> None:
        """Have the kernel hand new connections to the other workers' sockets; who waits at this one is turned away."""
        if self._address is None:
            self._address = self.listener.getsockname()
            self.listener.close()

    def bind_again(self) -> None:
        """Give the next worker a socket in the place of one that was withdrawn; OSError when there is no room.

        It is bound and does not listen: the worker listens once it can answer.
        """
        if self._address is not None:
            self.listener = bind_beside(self._address)
            self._address = None

    def not_begun(self, now: float) -> None:
        """No worker could be forked."""
        self.barren += 1
        self.start_at = now + _NO_ROOM_PAUSE

    def begin(self, pid: int, channel: Channel, now: float) -> None:
        """A worker was forked."""
        self.pid, self.channel = pid, channel
        self.cells[shared.PID] = float(pid)
        self.cells[shared.HEARTBEAT] = self.cells[shared.READY] = 0.0
        self.ready = self._killed = False
        self._began, self._unready_since = now, None
        self._share = ProcessorShare(pid)

    def became_ready(self, now: float) -> None:
        """The worker said that it answered a row."""
        self.ready, self._ready_at = True, now

    def complaint(self, now: float, awake_since: float) -> str:
        """Why the worker should be killed; empty when it is well.

        `awake_since` is when the supervisor itself last came back from a standstill, such as a paused container: the
        workers stood still as well, and no silence before that counts.
        """
        if self._killed:
            return ""
        heard = max(self.cells[shared.HEARTBEAT], self._began, awake_since)
        # At every look, since a wait that goes on shows in nothing but that it was seen before.
        used = self._share.look(now)
        if heard != self._heard:
            self._heard, self._used = heard, used
        silent, allowed = now - heard, self.stuck_seconds if self.ready else STARTUP_SECONDS
        if silent > allowed and not self._is_starved(used, silent, allowed):
            return f"has not turned its event loop for {silent:.1f} s"
        if not self.ready or self.cells[shared.READY]:
            self._unready_since = None
            return ""
        if self._unready_since is None:
            self._unready_since = now
        if now - max(self._unready_since, awake_since) > max(UNREADY_SECONDS, self.stuck_seconds):
            return f"has a model that does not answer for {now - self._unready_since:.1f} s"
        return ""

    def _is_starved(self, used: ProcessorTime, silent: float, allowed: float) -> bool:
        """Whether the worker is silent for want of a processor: one in its place would only want more of them."""
        waited = used.waited - self._used.waited
        return silent - waited <= allowed and used.ran - self._used.ran < allowed * _ENOUGH

    def kill(self) -> None:
        """End a worker that does not answer; SIGKILL reaches a stopped one too."""
        if not self._killed:
            self._killed = True
            os.kill(self.pid, signal.SIGKILL)

    def ended(self, now: float) -> None:
        """The worker is gone and was reaped: when its successor may begin."""
        if self.ready and now - self._ready_at > _HEALTHY_SECONDS:
            self.failures = 0
        pause = min(_FIRST_PAUSE * 2 ** (self.failures - 1), _LONGEST_PAUSE) if self.failures else 0.0
        self.failures += 1
        self.barren = 0 if self.ready else self.barren + 1
        self.start_at = now + pause
        self.pid = 0
        self.ready = False
        self.cells[shared.PID] = self.cells[shared.READY] = 0.0
        self.cells[shared.CONNECTIONS] = self.cells[shared.QUEUE_DEPTH] = 0.0
        self.cells[shared.RESTARTS] += 1
        # Together, since /metrics tells the difference as workers that died.
        self.cells[shared.STUCK] += self._killed
        if self.channel is not None:
            self.channel.close()
            self.channel = None
