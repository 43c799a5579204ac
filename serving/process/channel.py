"""What supervisor and workers say to each other: a JSON object a line, over a pair of connected sockets.

Standard library only: the supervisor imports this.
"""

import json
import socket
from collections.abc import Iterator
from typing import Final, cast

Message = dict[str, object]
_READ_BYTES: Final = 65_536


class Channel:
    """One end of the pair."""

    def __init__(self, end: socket.socket) -> None:
        self.socket: Final = end
        self.closed = False
        """Whether the other side is gone."""
        self._buffer = b""

    def send(self, message: Message) -> None:
        """Say something; a side that is gone does not hear it.

        Messages are small and few, so that the kernel's buffer always holds them.
        """
        try:
            self.socket.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            self.closed = True

    def receive(self) -> Iterator[Message]:
        """Whatever has arrived whole."""
        try:
            data = self.socket.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self.closed = self.closed or not data
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            yield cast("Message", json.loads(line))

    def close(self) -> None:
        """Hang up."""
        self.socket.close()


def channels() -> tuple[Channel, Channel]:
    """Two connected ends."""
    one, other = socket.socketpair()
    for end in (one, other):
        end.setblocking(False)  # noqa: FBT003 - the standard library's own signature
    return Channel(one), Channel(other)
