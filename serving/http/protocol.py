"""The default front: our own protocol over uvloop and httptools."""

import socket
from collections.abc import Sequence

from serving.core.engine import Engine
from serving.http.limits import Limits
from serving.http.observer import Observer
from serving.http.routes import Site


class ProtocolFront:
    """Connections of one worker."""

    def __init__(self, engine: Engine, site: Site, limits: Limits, observer: Observer | None) -> None:
        self._engine, self._site, self._limits, self._observer = engine, site, limits, observer

    async def start(self, sockets: Sequence[socket.socket]) -> None:
        """Accept connections on `sockets`."""
        raise NotImplementedError

    async def stop(self, seconds: float) -> None:
        """Finish what has begun to arrive."""
        raise NotImplementedError
