"""A request's body under a limit of size and of time."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from serving.core.errors import RequestError

READ_SECONDS = 20.0
"""Longest time a caller may take to send its body; below the 25 s that a graceful stop waits."""
DRAIN_SECONDS = 2.0
DRAIN_BYTES = 32_000_000

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class Body:
    """The body of one request, which may be read once, or thrown away."""

    def __init__(self, headers: Mapping[str, str], receive: Receive) -> None:
        self._announced = headers.get("content-length", "")
        # A caller that waits for "100 Continue" sends nothing unless it is asked to.
        self._withheld = "expect" in headers
        self._receive = receive
        self._ended = False

    async def read(self, limit: int) -> bytes:
        """The whole body; RequestError 413 above `limit` bytes (by its announced length if it has one), 408 if slow.

        ConnectionError when the caller goes away.
        """
        announced = self._announced
        if announced.isascii() and announced.isdigit() and (len(announced) > 18 or int(announced) > limit):
            raise _too_large(limit)
        self._withheld = False
        try:
            async with asyncio.timeout(READ_SECONDS):
                return await self._collect(limit)
        except TimeoutError as error:
            message = f"the body did not arrive within {READ_SECONDS:g} s"
            raise RequestError("timeout", message, status=408) from error

    async def _collect(self, limit: int) -> bytes:
        parts: list[bytes] = []
        size = 0
        while not self._ended:
            parts.append(await self._next())
            size += len(parts[-1])
            if size > limit:
                raise _too_large(limit)
        return b"".join(parts)

    async def _next(self) -> bytes:
        message = await self._receive()
        self._ended = message["type"] == "http.disconnect" or not message.get("more_body", False)
        if message["type"] == "http.disconnect":
            raise ConnectionError("the caller went away")
        return message.get("body", b"")

    async def discard(self) -> None:
        """Throw away what is left, for a short while.

        Closing a connection with unread bytes makes the caller's kernel throw our answer away (a reset), so a refusal
        that is already on its way needs the rest taken. Never waits for more than the caller announced.
        """
        size = 0
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                while not self._ended and not self._withheld and size < DRAIN_BYTES:
                    size += len(await self._next())
        except (TimeoutError, ConnectionError):
            return


def _too_large(limit: int) -> RequestError:
    return RequestError("body_too_large", f"the body is too large; expected at most {limit} bytes", status=413)
