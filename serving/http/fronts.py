"""The fronts by name. Each turns HTTP into calls of the engine and of the site, and a caller sees no difference."""

import socket
from collections.abc import Sequence
from typing import Final, Literal, Protocol

from serving.core.engine import Engine
from serving.http.limits import Limits
from serving.http.observer import Observer
from serving.http.routes import Site

FRONTS: Final = ("protocol", "asgi")
FrontName = Literal["protocol", "asgi"]


class Front(Protocol):
    """A running front, on the event loop that starts it."""

    async def start(self, sockets: Sequence[socket.socket]) -> None:
        """Accept connections on `sockets`, which listen already and stay the caller's to close."""
        ...

    async def stop(self, seconds: float) -> None:
        """Finish every request that has begun to arrive, at most for `seconds`; then cut what is left.

        The engine must go on answering until this returns.
        """
        ...


def create_front(
    name: FrontName,
    engine: Engine,
    site: Site,
    limits: Limits | None = None,
    observer: Observer | None = None,
) -> Front:
    """The front `name` over `engine` and `site`; it does nothing before `start`."""
    # Only the chosen front is imported: uvicorn takes a tenth of a second that the default front does not need.
    if name == "asgi":
        from serving.http.uvicorn_front import UvicornFront  # noqa: PLC0415

        return UvicornFront(engine, site, limits or Limits(), observer)
    from serving.http.protocol import ProtocolFront  # noqa: PLC0415

    return ProtocolFront(engine, site, limits or Limits(), observer)
