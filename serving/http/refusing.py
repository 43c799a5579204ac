"""The refusing half of a connection: what is told of a request that cannot be answered, and what becomes of its rest.

A request that is refused by its head may leave a body to be passed over; one that cannot be understood, or that comes
too slowly, is the last of its connection.
"""

from typing import Final, cast

from serving.core.errors import RequestError
from serving.http.answering import BODY, CHUNKS, OVER, Answering
from serving.http.chunks import ChunkedBody
from serving.http.exchange import Exchange, Shared
from serving.http.head import Head

_SMALL_BODY: Final = 65_536
"""A refused request with a body up to this size is read to its end, and the connection goes on."""


class Refusing(Answering):
    """What is being read, and how it is refused. Reading it is `Connection`'s."""

    __slots__ = ("_body", "_chunks", "_drained", "_head", "_needed")

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        self._head: Head = cast("Head", None)
        self._needed = 0
        self._body: bytearray | None = None
        """What came of the body; None while it is thrown away."""
        self._chunks: ChunkedBody = cast("ChunkedBody", None)
        self._drained = 0

    def _exchange(self, head: Head | None, *, last: bool) -> Exchange:
        request_id = (head.request_id if head else "") or self.shared.ids.make()
        exchange = Exchange(self, request_id, head)
        exchange.last = last
        self._queue.append(exchange)
        if last:
            self._state = OVER
        return exchange

    def _refuse(self, head: Head, error: RequestError) -> None:
        """Refuse a request by its head: the connection goes on when its body is small, or there already."""
        self.trusted = False
        goes_on = not (head.chunked or head.expects) and head.length <= _SMALL_BODY
        exchange = self._exchange(head, last=not (goes_on and head.keep_alive))
        if not exchange.last and head.length:
            self._state, self._needed, self._body = BODY, head.length, None
            self.deadline = self.shared.now + self.shared.limits.body_seconds
        self._unread = exchange.last and bool(head.chunked or head.length)
        allow = self.shared.site.allowed(head.path) if error.status == 405 else ""
        exchange.refuse(error, allow, head_only=head.method == "HEAD")

    @property
    def _is_refused(self) -> bool:
        """Whether the request whose body comes has its answer already."""
        return self._state == BODY and self._body is None

    def _fail(self, error: RequestError, *, drained: bool = True) -> None:
        """Refuse what cannot be understood, or comes too slowly: nothing behind it is read."""
        head = self._head if self._state in (BODY, CHUNKS) else None
        asked = head.method if head else "HEAD" if self._buffer.startswith(b"HEAD ") else ""
        self._buffer = b""
        self._unread = drained
        exchange = self._exchange(head, last=True)
        exchange.refuse(error, head_only=asked == "HEAD")

    def _break_off(self, error: RequestError) -> None:
        """Something of ours went wrong: whose request it was is told so, and nothing behind it is read."""
        begun = self._queue[-1] if self._queue else None
        if begun is None or begun.output is not None or begun.ticket is not None:
            self._fail(error)
            return
        self._state, self._buffer, self._unread = OVER, b"", True
        begun.last = True
        begun.refuse(error)

    def _drain(self, size: int) -> None:
        self._drained += size
        if self._drained > self.shared.limits.drain_bytes:
            self._transport.abort()
