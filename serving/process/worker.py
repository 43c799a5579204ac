"""A worker: the event loop with a front, the engine, and the models. It runs in a process of its own, forked early.

Only here are the heavy packages imported. The group's first workers listen before their models are loaded, so that
`/ping` can say 503 with the reason from then on; a successor listens when it can answer, and who came meanwhile
waits at its socket. Four times a second the worker has its models answer a row and writes its heartbeat.
"""

import asyncio
import contextlib
import ctypes
import gc
import mmap
import os
import signal
import time
from dataclasses import dataclass
from typing import Final, cast

import uvloop

from serving.container import Container
from serving.core.batching import Limits
from serving.core.engine import Engine
from serving.core.errors import NotReadyError
from serving.core.shadow import Shadows
from serving.http.fronts import Front, FrontName, create_front
from serving.http.listeners import BACKLOG
from serving.http.routes import build_site
from serving.observe.observation import Observation
from serving.observe.shared import LOADED, RESTARTS, SHADOWS_DROPPED, regions
from serving.process.aside import Aside
from serving.process.busy_polling import BusyPolling
from serving.process.channel import Channel
from serving.process.models import LoadError, Models
from serving.process.places import Places
from serving.process.slot import Slot
from serving.process.supervisor import GRACEFUL_SECONDS

TICK_SECONDS: Final = 0.25
STOP_SECONDS: Final = 22.0
"""Time for accepted requests to finish: the slowest body takes 20 s, and what was observed has the rest."""
_LEAVING_SECONDS: Final = 0.5
"""Time for the process to end, before the supervisor ends it."""
_EXPLAIN_SECONDS: Final = 0.5
"""How long `/ping` says why the model was refused: a health check that is waiting can read it."""
_PR_SET_PDEATHSIG: Final = 1


@dataclass(frozen=True, kw_only=True)
class Seat:
    """What a worker is given."""

    container: Container
    threads: int
    """Of one run of the model."""
    busy_poll_seconds: float
    """How long to stay awake after work; 0 for not at all."""
    memory: mmap.mmap
    slot: Slot
    channel: Channel


def work(seat: Seat, places: Places) -> int:
    """Serve until SIGTERM, or until the models are refused; the exit status of the process."""
    _die_with_parent()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(Worker(seat).serve(places))


class Worker:
    """The process' own state."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat
        self._channel = seat.channel
        self._observation = Observation(seat.memory, seat.slot.number, seat.container.observation)
        self._awake: BusyPolling | None = None

    async def serve(self, places: Places) -> int:
        """Listen, load, answer, stop."""
        loop = asyncio.get_running_loop()
        stopping = asyncio.Event()
        loop.add_signal_handler(signal.SIGTERM, stopping.set)
        container, observer = self._seat.container, self._observation.observer
        self._observation.start()
        limits = Limits(jobs=container.queue, deadline=container.deadline_seconds)
        if self._seat.busy_poll_seconds:
            self._awake = BusyPolling(loop.call_soon, self._seat.busy_poll_seconds, lambda: engine.together == 1)
        engine = Engine(self._awake or loop.call_soon, observer=observer, limits=limits, aside=Aside(loop))
        front = create_front(
            cast("FrontName", container.front), engine, build_site(engine, observer), observer=observer
        )
        early = not self._succeeds()
        if early:
            await self._listen(front)
        shadows = Shadows(loop.call_later, observer, Aside(loop))
        models = Models(engine, shadows, observer, self._seat.threads, self._seat.container.batch_bytes)
        ticking = asyncio.create_task(self._tick(engine, shadows))
        loop.add_reader(self._channel.socket, self._heard, models)
        reason = await self._load(models, places, stopping)
        if not reason:
            if not early:
                await self._listen(front)
            await stopping.wait()
        until = time.monotonic() + GRACEFUL_SECONDS - _LEAVING_SECONDS
        await front.stop(STOP_SECONDS)
        ticking.cancel()
        self._observation.close(until - time.monotonic())
        return 1 if reason else 0

    def _succeeds(self) -> bool:
        """Whether this worker is in the place of another one, in a group that has served."""
        loaded = any(cells[LOADED] for cells in regions(self._seat.memory))
        return loaded and bool(self._seat.slot.cells[RESTARTS])

    async def _listen(self, front: Front) -> None:
        listener = self._seat.slot.listener
        # One that was bound anew does not listen yet.
        listener.listen(BACKLOG)
        await front.start([listener])
        # The front has a copy of its own: with this one open, nobody could be refused after the front has stopped.
        listener.close()

    async def _load(self, models: Models, places: Places, stopping: asyncio.Event) -> str:
        """Bring the models to answer; the reason when they cannot be brought to it."""
        begun = time.monotonic()
        try:
            about = await models.load(places)
        except LoadError as error:
            reason = str(error)
            models.engine.failed(reason)
            self._channel.send({"event": "failed", "reason": reason})
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), _EXPLAIN_SECONDS)
            return reason
        # What was loaded stays; the collector need not look at it again, and seldom at what requests leave.
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 100)
        self._beat(models.engine)
        self._channel.send({"event": "ready", "seconds": time.monotonic() - begun, **about})
        return ""

    async def _tick(self, engine: Engine, shadows: Shadows) -> None:
        while True:
            engine.warm_up()
            self._beat(engine)
            dropped, shadows.dropped = shadows.dropped, 0
            self._seat.slot.cells[SHADOWS_DROPPED] += dropped
            await asyncio.sleep(TICK_SECONDS)

    def _beat(self, engine: Engine) -> None:
        ready = True
        try:
            engine.check()
        except NotReadyError:
            ready = False
        self._observation.observer.queue_depth(engine.pending)
        self._observation.observer.tick(ready=ready, idle_seconds=self._awake.idle_seconds() if self._awake else 0.0)

    def _heard(self, models: Models) -> None:
        """The supervisor wants something, or is gone: then nobody would restart or stop this process."""
        for message in self._channel.receive():
            models.command(message, self._channel)
        if self._channel.closed:
            os._exit(1)


def _die_with_parent() -> None:
    """Have the kernel kill this process when the supervisor dies, however it does."""
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
