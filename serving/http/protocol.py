"""The default front: our own protocol on asyncio's streams of bytes, meant for uvloop, with llhttp for the heads.

It stops in three steps. First every answer says `Connection: close`, and all goes on for a moment: under load each
caller has a request under way, which a closed connection would lose. Then nobody is let in any more, while those who
are inside have as long again to say what they want. At last what is idle is closed, and what has begun is finished.
"""

import asyncio
import socket
from collections.abc import Sequence
from typing import Final

from serving.core.engine import Engine
from serving.http.connection import Connection
from serving.http.exchange import Shared
from serving.http.limits import Limits, connections_allowed
from serving.http.listeners import BACKLOG, close_listeners
from serving.http.observer import Observer
from serving.http.routes import Site

_DOORS: Final = 8
"""libuv lets one caller in at each listening socket in a turn. Through one door, it took 60 to 90 ms to let in 256 that
came at once under load, through eight 5 to 15. Each costs half a microsecond for a caller who comes alone."""
_LAST_LOOKS: Final = 3
"""Turns before what seems idle is closed: after a standstill of the process time is over before its sockets were read,
and who asked meanwhile would be cut."""


class ProtocolFront:
    """The connections of one worker."""

    def __init__(self, engine: Engine, site: Site, limits: Limits, observer: Observer | None) -> None:
        self._engine = engine
        self._site = site
        self._limits = limits
        self._observer = observer
        self._listeners: list[socket.socket] = []
        self._servers: list[asyncio.Server] = []
        self._shared: Shared | None = None
        self._ticking: asyncio.TimerHandle | None = None

    async def start(self, sockets: Sequence[socket.socket]) -> None:
        """Accept connections on `sockets`, which listen already and stay the caller's to close."""
        loop = asyncio.get_running_loop()
        shared = self._shared = Shared(self._engine, self._site, self._limits, self._observer, loop)
        shared.most_connections = connections_allowed(self._limits)
        self._tick()
        for listener in sockets:
            for _ in range(_DOORS):
                copy = listener.dup()
                self._listeners.append(copy)
                self._servers.append(await loop.create_server(lambda: Connection(shared), sock=copy, backlog=BACKLOG))

    async def stop(self, seconds: float) -> None:
        """Finish every request that has begun to arrive, at most for `seconds`; then cut what is left."""
        shared = self._shared
        if shared is None:
            return
        until = shared.loop.time() + seconds
        shared.stopping = True
        shared.gone = asyncio.Event()
        if shared.connections:
            # Not cut short when all have gone: callers that were told to close come back with a new connection.
            await asyncio.sleep(min(self._limits.stop_seconds, seconds))
        await close_listeners(self._listeners, self._servers)
        # Who has just come in has its request on the way.
        await self._wait(shared, min(self._limits.stop_seconds, until - shared.loop.time()))
        for _ in range(_LAST_LOOKS):
            await asyncio.sleep(0)
        shared.closing = True
        shared.tick()
        await self._wait(shared, until - shared.loop.time())
        for connection in tuple(shared.connections):
            connection.abort()
        if self._ticking is not None:
            self._ticking.cancel()
        self._servers.clear()
        self._listeners.clear()
        self._shared = None
        await asyncio.sleep(0)

    async def _wait(self, shared: Shared, seconds: float) -> None:
        """Until no connection is left, at most for `seconds`."""
        if shared.gone is None or not shared.connections:
            return
        shared.gone.clear()
        try:
            async with asyncio.timeout(seconds):
                await shared.gone.wait()
        except TimeoutError:
            return

    def _tick(self) -> None:
        shared = self._shared
        if shared is not None:
            shared.tick()
            self._ticking = shared.loop.call_later(self._limits.tick_seconds, self._tick)
