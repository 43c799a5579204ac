"""The control socket: HTTP over a unix socket of mode 0600, answered by the supervisor.

    curl --unix-socket S http://localhost/status
    curl --unix-socket S -X POST http://localhost/model -d '{"folder": "…", "manifest_sha256": "…"}'

One request a connection, small ones only. Whoever may open the socket may exchange the model: so only the user that the
server runs as. Standard library only: the supervisor imports this.
"""

import errno
import json
import socket
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Final

from serving.process.channel import Message
from serving.process.supervisor import Supervisor

_MOST_BYTES: Final = 65_536
_REQUEST_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 0.5
_NO_ROOM: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""Why nobody can be let in for a while: who waits goes on waiting, and the listener stays readable."""

Answer = Callable[[int, Message], None]
"""Called once with HTTP status and document, now or later."""


class ControlError(Exception):
    """The socket cannot be made; the message is one line for people."""


@dataclass(frozen=True, kw_only=True)
class ControlRequest:
    """One request, read whole."""

    method: str
    path: str
    body: bytes


Handler = Callable[[ControlRequest, Answer], None]


class ControlSocket:
    """Listens, reads requests on the supervisor's loop and hands them to `handle`."""

    def __init__(self, path: Path, supervisor: Supervisor, handle: Handler) -> None:
        self._path: Final = path
        self._supervisor: Final = supervisor
        self._handle: Final = handle
        self._open: dict[socket.socket, tuple[float, bytes]] = {}
        """Connections whose request is not complete, with the time that they began."""
        self._listener = _listen(path)
        self._accept_at: float | None = None
        """When to accept again, after there was no room for a connection; None while it is done."""
        supervisor.watch(self._listener, self._accept)

    def tick(self) -> None:
        """Hang up on who takes too long, and try again to let in who waits."""
        now = time.monotonic()
        if self._accept_at is not None and now >= self._accept_at:
            self._accept_at = None
            self._supervisor.watch(self._listener, self._accept)
        for connection, (begun, _) in tuple(self._open.items()):
            if now - begun > _REQUEST_SECONDS:
                self._drop(connection)

    def close(self) -> None:
        """Take no more requests, and leave no file."""
        if self._accept_at is None:
            self._supervisor.unwatch(self._listener)
        self._listener.close()
        self._path.unlink(missing_ok=True)

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError as error:
            if error.errno in _NO_ROOM:
                # It would fail again at once, and as often as the supervisor's loop can turn.
                self._supervisor.unwatch(self._listener)
                self._accept_at = time.monotonic() + _PAUSE_SECONDS
            return
        connection.setblocking(False)  # noqa: FBT003 - the standard library's own signature
        self._open[connection] = (time.monotonic(), b"")
        self._supervisor.watch(connection, partial(self._read, connection))

    def _read(self, connection: socket.socket) -> None:
        try:
            data = connection.recv(_MOST_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        begun, content = self._open[connection]
        content += data
        self._open[connection] = (begun, content)
        request = _parse(content)
        if request is None and data and len(content) <= _MOST_BYTES:
            return
        self._supervisor.unwatch(connection)
        del self._open[connection]
        if request is None:
            _answer(connection, HTTPStatus.BAD_REQUEST, {"error": "no complete HTTP request"})
        else:
            self._handle(request, partial(_answer, connection))

    def _drop(self, connection: socket.socket) -> None:
        self._supervisor.unwatch(connection)
        del self._open[connection]
        connection.close()


def _listen(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if path.exists() and stat.S_ISSOCK(path.stat().st_mode) and not _answers(path):
            path.unlink()  # left by a server that was killed
        listener.bind(str(path))
        path.chmod(0o600)
        listener.listen(8)
    except OSError as error:
        listener.close()
        raise ControlError(f"SERVING_CONTROL_SOCKET is {str(path)!r}: {error.strerror or error}") from error
    listener.setblocking(False)  # noqa: FBT003 - the standard library's own signature
    return listener


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        return probe.connect_ex(str(path)) == 0


def _parse(content: bytes) -> ControlRequest | None:
    """The request in `content`; None while it is not complete, or is none."""
    head, end, body = content.partition(b"\r\n\r\n")
    line, *fields = head.split(b"\r\n")
    words = line.split()
    if not end or len(words) != 3:
        return None
    length = 0
    for field in fields:
        name, _, value = field.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit():
            # A number of thousands of digits is an error to the interpreter.
            length = int(value) if len(value) < 16 else _MOST_BYTES + 1
    if len(body) < length:
        return None
    method, path = words[0].decode("latin-1"), words[1].decode("latin-1")
    return ControlRequest(method=method, path=path, body=body[:length])


def _answer(connection: socket.socket, status: int, document: Message) -> None:
    body = json.dumps(document).encode() + b"\n"
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    try:
        connection.setblocking(True)  # noqa: FBT003 - the standard library's own signature
        connection.settimeout(1.0)
        connection.sendall(head.encode() + body)
    except OSError:
        pass  # who does not read the answer does not get it
    finally:
        connection.close()
