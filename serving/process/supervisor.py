"""The parent of the workers: starts them, watches their heartbeats, swaps their models, and stops them.

It is one thread of the standard library only, forks before anything heavy is imported, and never touches a request; so
it is small, starts at once, and has nothing to get stuck on. All times are by the monotonic clock, which nobody sets.
As process 1 of a container it reaps whatever is left to it. Workers die with it (see worker.py).
"""

import mmap
import os
import selectors
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, cast

from serving.observe import shared
from serving.observe.levels import Level
from serving.observe.logs import Log
from serving.process.channel import Channel, Message, channels
from serving.process.places import Places
from serving.process.signals import SignalPipe
from serving.process.slot import STUCK_SECONDS, Slot
from serving.process.swap import Swaps

GRACEFUL_SECONDS: Final = 29.0
"""Time for accepted requests to finish and for what was observed of them to be written; the rest of SageMaker's 30 s is
for leaving."""
_TURN_SECONDS: Final = 0.1
_STANDSTILL_SECONDS: Final = 1.0
_HOPELESS: Final = 5
"""Starts in a row, without any worker ready, after which the group gives up."""
_BARREN: Final = 2
"""Starts in a row, of one slot, after which new connections are left to the other workers."""
_STOPS: Final = (signal.SIGTERM, signal.SIGINT)


class ServeError(Exception):
    """The server cannot run; the message is one line for people."""


Work = Callable[[Slot, Channel, Places], int]
"""What a worker does in its own process; the result is its exit status."""


class Supervisor:
    """The process group; `run` returns when it has ended."""

    def __init__(
        self,
        memory: mmap.mmap,
        listeners: Sequence[socket.socket],
        places: Places,
        work: Work,
        stuck_seconds: float = STUCK_SECONDS,
    ) -> None:
        self.slots: Final = tuple(
            Slot(number, listener, shared.region(memory, number), stuck_seconds)
            for number, listener in enumerate(listeners)
        )
        self.swaps: Final = Swaps(places, self.slots)
        self.about: Message = {}
        """What the last worker that became ready said of its model; empty before any was."""
        self._work = work
        self._selector = selectors.DefaultSelector()
        self._stopping: float | None = None
        """When the workers that are left are killed; None while serving."""
        self._refusal = ""
        """Why the model could not be loaded, the last time."""
        self._error = ""
        self._turned = self._awake_since = time.monotonic()

    def watch(self, source: socket.socket, readable: Callable[[], None]) -> None:
        """Call `readable` whenever there is something to read from `source`."""
        self._selector.register(source, selectors.EVENT_READ, readable)

    def unwatch(self, source: socket.socket) -> None:
        """`source` is of no interest any more."""
        # Once `run` has ended there is no selector any more.
        watched = cast("Mapping[int, object] | None", self._selector.get_map())
        if watched is not None and source.fileno() in watched:
            self._selector.unregister(source)

    def run(self, on_ready: Callable[[Message], None], ticks: Sequence[Callable[[], object]] = ()) -> None:
        """Serve until SIGTERM or SIGINT; ServeError when no worker can be brought to answer.

        `on_ready` is called once, when the first worker answers; each of `ticks` ten times a second.
        """
        pipe = SignalPipe((*_STOPS, signal.SIGCHLD))
        self.watch(pipe.socket, partial(self._signalled, pipe))
        try:
            while self._stopping is None or any(slot.pid for slot in self.slots):
                self._turn(on_ready, ticks)
        finally:
            pipe.close()
            self._selector.close()
        if self._error:
            raise ServeError(self._error)

    def stop(self, error: str = "") -> None:
        """End the workers, which finish what they accepted; `error` is what went wrong, if anything did."""
        if self._stopping is not None:
            return
        self._stopping = time.monotonic() + GRACEFUL_SECONDS
        self._error = error
        self.swaps.cancel("the server is stopping")
        for slot in self.slots:
            # The worker has the socket too, and closes it when it has taken over who waits there.
            slot.listener.close()
            if slot.pid:
                os.kill(slot.pid, signal.SIGTERM)

    def _turn(self, on_ready: Callable[[Message], None], ticks: Sequence[Callable[[], object]]) -> None:
        now = time.monotonic()
        if now - self._turned > _STANDSTILL_SECONDS:
            self._awake_since = now
        self._turned = now
        self._reap(now)
        self._look(now)
        if self._stopping is None:
            for slot in self.slots:
                if not slot.pid and now >= slot.start_at and not self.swaps.busy:
                    self._start(slot, on_ready)
            for tick in (self.swaps.tick, *ticks):
                _guarded(tick)
        for key, _ in self._selector.select(_TURN_SECONDS):
            _guarded(key.data)

    def _signalled(self, pipe: SignalPipe) -> None:
        for number in pipe.received():
            if number in _STOPS and self._stopping is None:
                say(f"{signal.Signals(number).name}: finishing the accepted requests")
                self.stop()

    def _start(self, slot: Slot, on_ready: Callable[[Message], None]) -> None:
        try:
            pid, ours = self._fork(slot)
        except OSError as error:
            # Too many processes or open files: that may pass, and the other workers go on.
            slot.not_begun(time.monotonic())
            say(f"worker {slot.number} cannot be started: {error.strerror}; it is tried again", "warning")
            self._withdraw(slot)
            return
        slot.begin(pid, ours, time.monotonic())
        self.watch(ours.socket, partial(self._heard, slot, on_ready))

    def _fork(self, slot: Slot) -> tuple[int, Channel]:
        """The new worker and the way to it; OSError when the machine has no room for one."""
        slot.bind_again()
        ours, theirs = channels()
        # A signal to stop that came in between would find the child without anyone to heed it.
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
        try:
            pid = os.fork()
            if pid == 0:
                ours.close()
                self._be_worker(slot, theirs)
        except OSError:
            ours.close()
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
            theirs.close()
        return pid, ours

    def _be_worker(self, slot: Slot, channel: Channel) -> None:
        """What the child does; it never returns."""
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            # Control-C goes to the whole group; the supervisor passes it on as SIGTERM.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
            for other in self.slots:
                if other is not slot:
                    other.listener.close()
            for key in tuple(self._selector.get_map().values()):
                if isinstance(key.fileobj, socket.socket):
                    key.fileobj.close()
            self._selector.close()
            status = self._work(slot, channel, self.swaps.places)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)

    def _heard(self, slot: Slot, on_ready: Callable[[Message], None]) -> None:
        channel = slot.channel
        if channel is None:
            return
        for message in channel.receive():
            if message["event"] == "ready":
                slot.became_ready(time.monotonic())
                first, self.about = not self.about, message
                if first:
                    on_ready(message)
            elif message["event"] == "failed":
                self._refusal = str(message["reason"])
            else:
                self.swaps.heard(slot, message)
        if channel.closed:
            self.unwatch(channel.socket)

    def _reap(self, now: float) -> None:
        """Take note of every child that ended; as process 1, of orphans too."""
        by_pid = {slot.pid: slot for slot in self.slots if slot.pid}
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            if pid in by_pid:
                self._ended(by_pid[pid], os.waitstatus_to_exitcode(status), now)

    def _ended(self, slot: Slot, code: int, now: float) -> None:
        channel = slot.channel
        if channel is not None:
            self._heard(slot, lambda _: None)
            self.unwatch(channel.socket)
        was_ready = slot.ready
        slot.ended(now)
        self.swaps.lost(slot)
        if self._stopping is not None:
            return
        self._withdraw(slot)
        how = f"was killed by {_signal_name(-code)}" if code < 0 else f"ended with status {code}"
        if self._refusal and not self.about:
            self.stop(self._refusal)
        elif slot.barren >= _HOPELESS and not any(other.ready for other in self.slots):
            self.stop(self._refusal or f"the worker {how} before it was ready, {slot.barren} times in a row")
        else:
            reason = f": {self._refusal}" if self._refusal and not was_ready else ""
            say(f"worker {slot.number} {how}{reason}; another is started", "warning")

    def _withdraw(self, slot: Slot) -> None:
        """Leave new connections to the others while no worker of `slot` can be brought to answer.

        Not where no other worker answers: who comes then waits, and the port stays ours.
        """
        if slot.barren >= _BARREN and any(other.ready for other in self.slots if other is not slot):
            slot.withdraw()

    def _look(self, now: float) -> None:
        for slot in self.slots:
            if not slot.pid:
                continue
            if self._stopping is not None:
                if now > self._stopping:
                    os.kill(slot.pid, signal.SIGKILL)
                continue
            complaint = slot.complaint(now, self._awake_since)
            if complaint:
                say(f"worker {slot.number} {complaint} and is killed", "warning")
                slot.kill()


def _guarded(act: Callable[[], object]) -> None:
    """Do it; whatever goes wrong is told, and the workers are watched on."""
    try:
        act()
    except Exception:
        say(f"the supervisor goes on after an error: {traceback.format_exc()}", "error")
        # What goes wrong again at once must not keep the processor busy.
        time.sleep(_TURN_SECONDS)


def _signal_name(number: int) -> str:
    """Such as SIGKILL; real-time signals have no names."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def say(text: str, level: Level = "info") -> None:
    """A record in the log; it never waits for whoever reads it."""
    Log(level=level).write(level, text)
