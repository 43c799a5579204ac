"""A port of this machine that leads into a container without network, as SageMaker's own agent reaches an isolated one.

Every connection has a thread, which enters the container's network namespace and connects there to the port that the
container listens on. A socket belongs to the namespace it was made in; the one that accepts was made outside.
"""

import contextlib
import ctypes
import os
import selectors
import socket
import threading
from pathlib import Path

_CLONE_NEWNET = 0x40000000
_CHUNK = 65536
_HOST = "127.0.0.1"


class Relay:
    """Listens on a port of 127.0.0.1 that nobody else has, until it is closed."""

    def __init__(self, *, pid_file: Path, inner_port: int) -> None:
        self._pid_file = pid_file
        self._inner_port = inner_port
        self._listener = socket.create_server((_HOST, 0), backlog=128)
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, name=f"relay {self.port}", daemon=True).start()

    def close(self) -> None:
        """Take no more connections; those there are end with the container."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                outer, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(outer,), daemon=True).start()

    def _serve(self, outer: socket.socket) -> None:
        # What the container refuses or breaks off, the caller sees broken off.
        with outer, contextlib.suppress(OSError, ValueError):
            _enter(int(self._pid_file.read_text()))
            with socket.create_connection((_HOST, self._inner_port)) as inner:
                _pump(outer, inner)


def _enter(pid: int) -> None:
    """Put the calling thread, and no other, into the network namespace of a process. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    with Path(f"/proc/{pid}/ns/net").open("rb") as namespace:
        if libc.setns(namespace.fileno(), _CLONE_NEWNET) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))


def _pump(outer: socket.socket, inner: socket.socket) -> None:
    """Copy both ways until both sides have ended."""
    with selectors.DefaultSelector() as ready:
        ready.register(outer, selectors.EVENT_READ, inner)
        ready.register(inner, selectors.EVENT_READ, outer)
        while ready.get_map():
            for key, _ in ready.select():
                source, target = key.fileobj, key.data
                assert isinstance(source, socket.socket)  # noqa: S101 - both were registered as such
                chunk = source.recv(_CHUNK)
                if chunk:
                    target.sendall(chunk)
                else:
                    ready.unregister(source)
                    target.shutdown(socket.SHUT_WR)
