"""How a front stops to listen without turning anybody away who is at the door already."""

import asyncio
import select
import socket
from collections.abc import Sequence
from typing import Final

BACKLOG: Final = 2048


async def close_listeners(listeners: Sequence[socket.socket], servers: Sequence[asyncio.AbstractServer]) -> None:
    """Take over who waits at the sockets, and close them; with no room to wait, nobody comes in between."""
    waiting = select.poll()
    for listener in listeners:
        listener.listen(0)
        waiting.register(listener, select.POLLIN)
    turns = BACKLOG
    while turns and waiting.poll(0):
        turns -= 1
        await asyncio.sleep(0)  # libuv accepts one connection in a turn
    for server in servers:
        server.close()
