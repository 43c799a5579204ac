"""Request bodies under a limit of size and of time."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from serving.errors import RequestError

READ_SECONDS = 20.0
"""Longest time a caller may take to send its body; below the 25 s that a graceful stop waits."""
DRAIN_SECONDS = 2.0
DRAIN_BYTES = 32_000_000

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


async def read_body(headers: Mapping[str, str], receive: Receive, limit: int) -> bytes:
    """The whole body; RequestError 413 above `limit` bytes (by its announced length where there is one), 408 when slow.

    ConnectionError when the caller goes away.
    """
    announced = headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and (len(announced) > 18 or int(announced) > limit):
        raise _too_large(limit)
    try:
        async with asyncio.timeout(READ_SECONDS):
            return await _collect(receive, limit)
    except TimeoutError as error:
        message = f"the body did not arrive within {READ_SECONDS:g} s"
        raise RequestError("timeout", message, status=408) from error


async def _collect(receive: Receive, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError("the caller went away")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            raise _too_large(limit)
        if not message.get("more_body", False):
            return b"".join(parts)


async def drain(receive: Receive) -> None:
    """Throw away the rest of a body, for a short while."""
    size = 0
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            while size < DRAIN_BYTES:
                message = await receive()
                size += len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return
    except TimeoutError:
        return


def _too_large(limit: int) -> RequestError:
    return RequestError("body_too_large", f"the body is too large; expected at most {limit} bytes", status=413)
