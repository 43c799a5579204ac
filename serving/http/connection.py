"""One connection of the default front: bytes in, requests out, answers back in the order of their requests.

Reading is a small machine of four states. A call whose head was seen before and whose body is there whole takes a short
cut past it. Nothing waits here: a request goes to the engine the moment it is complete, and the engine calls back in
the same turn of the event loop. Limits of time are kept by one tick of the front for all connections, not by a timer
each.
"""

import asyncio
from typing import Final, cast

from serving.core.errors import RequestError
from serving.http.admission import admit, body_limit, context_of, is_call
from serving.http.answering import BODY, CHUNKS, HEAD, OVER
from serving.http.chunks import ChunkedBody
from serving.http.encoding import decoded
from serving.http.exchange import Exchange, Shared
from serving.http.head import Head, check_partial, malformed
from serving.http.refusing import Refusing
from serving.http.routes import failure
from serving.http.turns import MUCH, stands_behind
from serving.http.writer import CONTINUE

_EMPTY_LINE: Final = b"\r\n\r\n"
_TOLD_SLOWLY: Final = 32
"""Connections above the limit that are drained, so that their refusal is surely read; others are closed at once."""


class Connection(Refusing):
    """A protocol for one accepted connection."""

    __slots__ = ("_skipped",)

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        self._skipped = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is open; one too many is told so."""
        self._transport = cast("asyncio.Transport", transport)
        shared = self.shared
        full = len(shared.connections) >= shared.most_connections
        shared.connections.add(self)
        shared.observer.connections(1)
        if full:
            message = f"{shared.most_connections} connections are open, as many as are allowed; try again"
            error = RequestError("too_many_connections", message, status=503, retry_after=1)
            # One that is drained goes on holding a file, and with none left callers are cut without a word.
            self._fail(error, drained=len(shared.connections) <= shared.most_connections + _TOLD_SLOWLY)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio names it
        """The caller is gone: nobody waits for its answers any more."""
        shared = self.shared
        self._state, self._buffer = OVER, b""
        for exchange in self._queue:
            exchange.cancel()
        self._queue.clear()
        shared.connections.discard(self)
        shared.observer.connections(-1)
        if shared.gone is not None and not shared.connections:
            shared.gone.set()

    def data_received(self, data: bytes) -> None:
        """Bytes arrived."""
        if self._state == HEAD and not self._buffer:
            end = data.find(_EMPTY_LINE) + 4
            head = self.shared.known_heads.get(data[:end])
            if head is not None and len(data) == end + head.length and head.length <= self.shared.body_limit:
                turns = self.shared.turns
                quick = head.length < MUCH and self.trusted is not False
                if not turns.over and (quick or not (turns.spent() or turns.crowded)):
                    if self.trusted is None:
                        self.trusted = True
                    self._call(head, data[end:])
                    return
            self._buffer = data
            self.deadline = self.shared.now + self.shared.limits.head_seconds
        elif self._state == OVER:
            self._drain(len(data))
            return
        else:
            self._buffer += data
        self._advance()

    def eof_received(self) -> bool:
        """The caller sends no more. Who still waits in the next turn of the event loop is taken for gone.

        A caller that closed and one that only closed its sending half look the same. What was asked for in time is
        answered by then, unless the server has too much to do: just when it should do nothing for those who left.
        """
        self._ended = True
        if self._is_refused:
            self._state, self._buffer = OVER, b""
        if self._state != OVER and (self._state != HEAD or self._buffer):
            self._fail(malformed("the connection was closed before the request was complete"))
        if not self._queue:
            return False
        self.shared.loop.call_soon(self._leave)
        return True

    def expire(self) -> None:
        """The deadline is over."""
        shared = self.shared
        if self._stalled:
            self._transport.abort()
        elif self._queue or self._paused:
            self.deadline = shared.now + 1.0  # whoever is slow, it is not the caller
        elif self._state == OVER:
            self._transport.abort()
        elif self._is_refused or (self._state == HEAD and not self._buffer):
            self._transport.close()
        else:
            what = "headers" if self._state == HEAD else "body"
            seconds = shared.limits.head_seconds if self._state == HEAD else shared.limits.body_seconds
            message = f"the {what} did not arrive within {seconds:g} s"
            self._fail(RequestError("timeout", message, status=408))

    def stop(self) -> None:
        """Close, unless there is something to finish."""
        if self._state == HEAD and not self._buffer and not self._queue:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    def _advance(self) -> None:
        """Take from the buffer what is complete."""
        step = not self._waiting
        try:
            while step and self._buffer and self._state != OVER:
                if self._stalled or len(self._queue) >= self.shared.limits.pipelined:
                    self._pause()
                    return
                if self._state == BODY and self._needed > len(self._buffer):
                    self._read_body()  # to take in a part costs no turn worth waiting for
                    return
                turns = self.shared.turns
                if turns.spent() or (turns.crowded and self._stands_behind):
                    self._wait()
                    return
                if self._state == HEAD:
                    step = self._read_head()
                elif self._state == BODY:
                    step = self._read_body()
                else:
                    step = self._read_chunks()
        except RequestError as error:
            self._fail(error)
        except Exception:
            self._break_off(failure())

    @property
    def _stands_behind(self) -> bool:
        size = len(self._buffer)
        if self._state == BODY:
            size = self._head.length
        elif self._state == CHUNKS:
            data = self._buffer
            size = size + len(self._chunks.content) if b"\r\n0\r\n" in data or data[:3] == b"0\r\n" else 0
        return stands_behind(self.trusted, size)

    def _read_head(self) -> bool:
        data, limits = self._buffer, self.shared.limits
        if data[0] == 13 and not self._skipped:
            # RFC 9112, 2.2: old clients send an empty line behind a body. One is forgiven.
            if data == b"\r":
                return False
            self._skipped = True
            if data[1] != 10:
                raise malformed("the request is not valid HTTP: a CR without LF")
            self._buffer = data[2:]
            return True
        end = data.find(_EMPTY_LINE) + 4
        if end < 4 or end > limits.head_bytes:
            check_partial(data, limits.head_bytes)
            return False
        head = self.shared.heads.read(data[:end])
        self._buffer = data[end:]
        self._skipped = False
        self.deadline = self.shared.now + limits.head_seconds
        self._begin(head)
        return True

    def _begin(self, head: Head) -> None:
        """The head is complete: refuse the request, or read its body."""
        shared = self.shared
        self._head = head
        limit = shared.body_limit = body_limit(shared.engine, shared.limits)
        try:
            admit(head, shared.site, limit)
        except RequestError as error:
            self._refuse(head, error)
            return
        if not head.chunked and not head.length:
            self._complete(head, b"")
            return
        if head.chunked:
            self._state, self._chunks = CHUNKS, ChunkedBody(limit, shared.limits.trailer_bytes)
        else:
            self._state, self._needed, self._body = BODY, head.length, bytearray()
        self.deadline = shared.now + shared.limits.body_seconds
        if head.expects and not self._buffer:
            go_on = Exchange(self, "", None)
            go_on.output = CONTINUE
            self._queue.append(go_on)
            self.answered(go_on)

    def _read_body(self) -> bool:
        data, needed, body = self._buffer, self._needed, self._body
        taken, self._buffer = data[:needed], data[needed:]
        self._needed = needed - len(taken)
        if body is not None and (body or self._needed):
            body += taken
        if self._needed:
            return False
        self._state = HEAD
        self.deadline = self.shared.now + self.shared.limits.head_seconds
        if body is not None:
            self._complete(self._head, bytes(body) if body else taken)
        return True

    def _read_chunks(self) -> bool:
        chunks = self._chunks
        self._buffer = self._buffer[chunks.feed(self._buffer) :]
        if not chunks.complete:
            return chunks.unfinished
        self._state = HEAD
        self.deadline = self.shared.now + self.shared.limits.head_seconds
        self._complete(self._head, bytes(chunks.content))
        return True

    def _complete(self, head: Head, body: bytes) -> None:
        """The request is there whole."""
        if is_call(head):
            if self.trusted is None:
                self.trusted = True
            self._call(head, body)
            return
        shared = self.shared
        exchange = self._exchange(head, last=not head.keep_alive)
        head_only = head.method == "HEAD"
        try:
            response = shared.site.answer(context_of(head, body, shared.site, shared.body_limit))
        except RequestError as error:
            exchange.refuse(error, head_only=head_only)
        else:
            exchange.respond(response, head_only=head_only)

    def _call(self, head: Head, body: bytes) -> None:
        """Have the engine answer."""
        shared = self.shared
        request_id = head.request_id or shared.ids.make()
        exchange = Exchange(self, request_id, head, body)
        queue = self._queue
        queue.append(exchange)
        if exchange.last:
            self._state = OVER
        elif len(queue) > 1 and len(queue) >= shared.limits.pipelined:
            self._pause()
        if head.content_encoding:
            try:
                exchange.body = decoded(body, head.content_encoding, shared.body_limit)
            except RequestError as error:
                self.trusted = False
                exchange.refuse(error)
                return
        ticket = shared.engine.submit(exchange, exchange.reply)
        if exchange.output is None:
            exchange.ticket = ticket
