"""A request's body as an ASGI server hands it over, under a limit of size and of time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from serving.core.errors import RequestError
from serving.http.chunks import too_large
from serving.http.limits import Limits

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class Body:
    """The body of one request, which may be read once, or thrown away."""

    def __init__(self, headers: Iterable[tuple[bytes, bytes]], receive: Receive, limits: Limits) -> None:
        # A caller that waits for "100 Continue" sends nothing unless it is asked to.
        self._withheld = any(name == b"expect" for name, _ in headers)
        self._receive = receive
        self._limits = limits
        self._ended = False

    async def read(self, limit: int) -> bytes:
        """The whole body; RequestError 413 above `limit` bytes, 408 if slow, ConnectionError when the caller left."""
        self._withheld = False
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                return await self._collect(limit)
        except TimeoutError as error:
            message = f"the body did not arrive within {self._limits.body_seconds:g} s"
            raise RequestError("timeout", message, status=408) from error

    async def _collect(self, limit: int) -> bytes:
        parts: list[bytes] = []
        size = 0
        while not self._ended:
            parts.append(await self._next())
            size += len(parts[-1])
            if size > limit:
                raise too_large(limit)
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
            async with asyncio.timeout(self._limits.drain_seconds):
                while not self._ended and not self._withheld and size < self._limits.drain_bytes:
                    size += len(await self._next())
        except (TimeoutError, ConnectionError):
            return
