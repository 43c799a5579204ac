"""The ASGI application on uvicorn, as a front like our own."""

import asyncio
import contextlib
import socket
from collections.abc import Generator, Sequence

import uvicorn

from serving.core.engine import Engine
from serving.http.asgi import Application
from serving.http.limits import Limits
from serving.http.listeners import close_listeners
from serving.http.observer import Observer
from serving.http.routes import Site


class _Server(uvicorn.Server):
    """uvicorn, with the signals left to the process: a stop on SIGTERM is a success, not a death by signal."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


class UvicornFront:
    """uvicorn with the stricter of its parsers, in the event loop that starts it."""

    def __init__(self, engine: Engine, site: Site, limits: Limits, observer: Observer | None) -> None:
        config = uvicorn.Config(
            Application(engine, site, limits, observer),
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=False,  # any caller may write them, and the caller's address is who it is
            timeout_keep_alive=round(limits.idle_seconds),
            limit_concurrency=limits.connections,
            h11_max_incomplete_event_size=limits.head_bytes,
        )
        self._limits = limits
        self._server = _Server(config)
        self._listeners: list[socket.socket] = []
        self._serving: asyncio.Task[None] | None = None

    async def start(self, sockets: Sequence[socket.socket]) -> None:
        """Accept connections on `sockets`, which listen already and stay the caller's to close."""
        self._listeners = [listener.dup() for listener in sockets]
        self._serving = asyncio.create_task(self._server.serve(sockets=self._listeners))
        while not (self._server.started or self._serving.done()):
            await asyncio.sleep(0)

    async def stop(self, seconds: float) -> None:
        """Finish every request that has begun to arrive, at most for `seconds`; then cut what is left."""
        if self._serving is None:
            return
        # uvicorn closes idle connections at once, with a request on its way to them: so all are asked to close first,
        # then nobody is let in any more, as the other front does it.
        close = (b"connection", b"close")
        self._server.config.encoded_headers.append(close)
        self._server.server_state.default_headers = [*self._server.server_state.default_headers, close]
        await self._pause(seconds)
        await close_listeners(self._listeners, self._server.servers)
        await self._pause(seconds)
        self._server.config.timeout_graceful_shutdown = max(1, round(seconds))
        self._server.should_exit = True
        await self._serving

    async def _pause(self, seconds: float) -> None:
        if self._server.server_state.connections:
            await asyncio.sleep(min(self._limits.stop_seconds, seconds))
