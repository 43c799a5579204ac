"""Sockets that listen on one port, one a worker: the kernel spreads connections over them.

The supervisor makes them and keeps them, so that connections which wait for a worker that died are taken over by its
successor. Standard library only: the supervisor imports this.
"""

import errno
import socket
from typing import cast

_BACKLOG = 4096


class ListenError(Exception):
    """The port cannot be listened on; the message is one line for people."""


def listen(host: str, port: int, count: int) -> list[socket.socket]:
    """`count` sockets that listen on the same port; ListenError when it is taken.

    The first one is bound alone, and allows company (SO_REUSEPORT) only from then on: so a port on which another server
    of the same user listens, workers of its own or not, is found to be taken.
    """
    listeners: list[socket.socket] = []
    try:
        for number in range(count):
            listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
            listeners.append(listener)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if number:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            listener.bind((host, port))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            listener.setblocking(False)  # noqa: FBT003 - the standard library's own signature
            listener.listen(_BACKLOG)
    except OSError as error:
        for listener in listeners:
            listener.close()
        remedy = "choose another port with SAGEMAKER_BIND_TO_PORT"
        if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            remedy = "SERVING_HOST must be an address of this machine"
        raise ListenError(f"cannot listen on {host}:{port}: {error.strerror}; {remedy}") from error
    return listeners


def bind_beside(address: object) -> socket.socket:
    """A socket at `address`, as another socket's `getsockname` tells it; it gets no connection before it listens.

    OSError when there is no room for one.
    """
    (host, *_) = place = cast("tuple[str, ...]", address)
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.setblocking(False)  # noqa: FBT003 - the standard library's own signature
        bound.bind(place)
    except OSError:
        bound.close()
        raise
    return bound
