"""The answering half of a connection: answers in the order of their requests, and no more than the caller takes in.

An answer that is alone is written at once. Several of one turn of the event loop are joined and written together, as
soon as the first in order is there. Reading pauses while the caller leaves its answers unread.
"""

import asyncio
import sys
import traceback
from abc import ABC, abstractmethod
from collections import deque
from typing import Final, cast

from serving.http.exchange import Exchange, Shared
from serving.http.writer import CLOSE, KEEP, KEEP_HTTP10

HEAD, BODY, CHUNKS, OVER = range(4)
"""What is read next; with OVER, whatever still comes is thrown away."""


class Answering(asyncio.Protocol, ABC):
    """What a connection is, and how its answers leave it. Reading is `Connection`'s."""

    __slots__ = (
        "_buffer",
        "_ended",
        "_flushing",
        "_paused",
        "_queue",
        "_stalled",
        "_state",
        "_transport",
        "_unread",
        "_waiting",
        "deadline",
        "shared",
        "trusted",
    )

    def __init__(self, shared: Shared) -> None:
        self.shared: Final = shared
        self.deadline = shared.now + shared.limits.idle_seconds
        """When `expire` is due, by the event loop's clock."""
        self._transport: asyncio.Transport = cast("asyncio.Transport", None)
        self._queue: deque[Exchange] = deque()
        self._state = HEAD
        self._buffer = b""
        self._flushing = False
        self._paused = False
        self._stalled = False
        """Whether the caller leaves its answers unread."""
        self._unread = False
        """Whether there is more of a refused request to come."""
        self._ended = False
        """Whether the caller has closed its sending half."""
        self._waiting = False
        """Whether what was read has to wait for the next turn of the event loop."""
        self.trusted: bool | None = None
        """Whether what it sent last was not refused for what it was; None while nothing was heard in full. A 503 tells
        nothing: who was refused before stays so."""

    @abstractmethod
    def _advance(self) -> None:
        """Take from the buffer what is complete."""

    @property
    @abstractmethod
    def _stands_behind(self) -> bool:
        """Whether it waits behind others for its turn."""

    def pause_writing(self) -> None:
        """The caller does not read its answers: it gets no more until it does."""
        self._stalled = True
        self.deadline = self.shared.now + self.shared.limits.write_seconds
        self._pause()

    def resume_writing(self) -> None:
        """The caller has read."""
        self._stalled = False
        self._resume()

    def ending(self, exchange: Exchange) -> int:
        """How the answer that is about to be written ends."""
        if self.shared.stopping and self._state == HEAD and not self._buffer and self._queue[-1] is exchange:
            exchange.last = True
            self._state = OVER
        if exchange.last:
            return CLOSE
        return KEEP if exchange.http11 else KEEP_HTTP10

    def answered(self, exchange: Exchange) -> None:
        """`exchange` has its output: written at once if it is alone, else with those that follow in this turn."""
        queue = self._queue
        if len(queue) == 1:
            queue.popleft()
            self._transport.write(cast("bytes", exchange.output))
            if exchange.last or self._paused or self._ended:
                self._written(last=exchange.last)
            elif self._state == HEAD and not self._buffer:
                self.deadline = self.shared.idle_until
        elif queue[0] is exchange and not self._flushing:
            self._flushing = True
            self.shared.loop.call_soon(self._flush)

    def _flush(self) -> None:
        """Write all answers that are next in order, at once."""
        self._flushing = False
        queue = self._queue
        outputs: list[bytes] = []
        last = False
        while queue and queue[0].output is not None:
            exchange = queue.popleft()
            outputs.append(cast("bytes", exchange.output))
            last = exchange.last
        if outputs:
            try:
                self._transport.write(b"".join(outputs))
                self._written(last=last)
            except Exception:  # the loop would only tell of it, and leave the callers waiting
                sys.stderr.write(traceback.format_exc())
                self.give_up()

    def give_up(self) -> None:
        """Close at once, since what was to be answered cannot be."""
        self._state, self._buffer = OVER, b""
        for exchange in self._queue:
            exchange.cancel()
        self._queue.clear()
        self._transport.abort()

    def _written(self, *, last: bool) -> None:
        if last or (self._ended and not self._queue):
            self._finish()
        elif self._paused:
            self._resume()
        elif self._state == HEAD and not self._buffer:
            self.deadline = self.shared.idle_until

    def _finish(self) -> None:
        """Nothing more will be answered. The rest of what was sent is taken in, or a reset would lose the answer."""
        self._state = OVER
        if self._ended or not (self._unread or self._buffer):
            self._transport.close()
            return
        self._buffer = b""
        self.deadline = self.shared.now + self.shared.limits.drain_seconds
        self._transport.write_eof()
        self._resume()

    def _leave(self) -> None:
        if self._queue:
            self._flush()
        for exchange in self._queue:
            exchange.cancel()
        if self._queue:
            self._queue.clear()
            self._transport.close()

    def _wait(self) -> None:
        """Go on in the next turn of the event loop; until then nothing is read."""
        self._waiting = True
        self._pause()
        self.shared.turns.wait(self._go_on, behind=self._stands_behind)

    def _go_on(self) -> None:
        self._waiting = False
        self._advance()
        if not self._waiting:
            deadline = self.deadline
            self._resume()
            # To wait for us lengthens no limit, but leaves time to read what came meanwhile.
            self.deadline = max(deadline, self.shared.now + 1.0)

    def _pause(self) -> None:
        if not self._paused and not self._transport.is_closing():
            self._paused = True
            self._transport.pause_reading()

    def _resume(self) -> None:
        if not self._paused or self._stalled or self._waiting or len(self._queue) >= self.shared.limits.pipelined:
            return
        self._paused = False
        if self._transport.is_closing():
            return
        self._transport.resume_reading()
        if self._state != OVER:
            self.deadline = self.shared.now + self.shared.limits.idle_seconds
        if self._buffer:
            self.shared.loop.call_soon(self._advance)
