"""A body in chunks (RFC 9112, 7.1), taken apart as it arrives.

The parser of the head is not used for it: what follows the last chunk belongs to the next request, and httptools does
not say where that begins. This is stricter than most: sizes of hexadecimal digits only, every line ended by CRLF.
"""

import re
from typing import Final

from serving.core.errors import RequestError
from serving.http.head import malformed

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})((?:;[\t\x20-\x7e\x80-\xff]*)?)")
_TRAILER = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*")
_LINE_BYTES = 256
_STEPS: Final = 1000
"""Most parts that are taken in one after another: a chunk of one byte takes as long as one of thousands."""


class ChunkedBody:
    """The body of one request; `feed` it until it is `complete`."""

    __slots__ = ("_extra", "_left", "_limit", "_step", "complete", "content", "unfinished")

    def __init__(self, limit: int, extra_bytes: int) -> None:
        self.content: Final = bytearray()
        self.complete = False
        self.unfinished = False
        """Whether the last `feed` stopped although there was more to take in."""
        self._limit = limit
        self._extra = extra_bytes
        """Bytes that extensions and trailers may still take."""
        self._left = 0
        self._step = self._size

    def feed(self, data: bytes) -> int:
        """Take in `data` from its start; how many bytes belong to the body and need not be shown again.

        RequestError 400 when it is not in chunks, 413 when there is more in it than the limit.
        """
        at = 0
        self.unfinished = False
        for _ in range(_STEPS):
            taken = 0 if self.complete else self._step(data, at)
            if not taken:
                return at
            at += taken
        self.unfinished = not self.complete
        return at

    def _size(self, data: bytes, at: int) -> int:
        line = _line(data, at)
        if line is None:
            return 0
        found = _SIZE.fullmatch(line)
        if found is None:
            raise malformed("the size of a chunk is not in hexadecimal digits")
        self._spend(len(found[2]))
        self._left = int(found[1], 16)
        self._step = self._data if self._left else self._trailer
        if len(self.content) + self._left > self._limit:
            raise too_large(self._limit)
        return len(line) + 2

    def _data(self, data: bytes, at: int) -> int:
        taken = min(self._left, len(data) - at)
        self.content.extend(data[at : at + taken])
        self._left -= taken
        if not self._left:
            self._step = self._end
        return taken

    def _end(self, data: bytes, at: int) -> int:
        if not b"\r\n".startswith(data[at : at + 2]):
            raise malformed("a chunk does not end where its size says")
        if len(data) - at < 2:
            return 0
        self._step = self._size
        return 2

    def _trailer(self, data: bytes, at: int) -> int:
        line = _line(data, at)
        if line is None:
            return 0
        if not line:
            self.complete = True
        elif not _TRAILER.fullmatch(line):
            raise malformed("a trailer behind the last chunk is no header")
        self._spend(len(line))
        return len(line) + 2

    def _spend(self, size: int) -> None:
        self._extra -= size
        if self._extra < 0:
            raise RequestError(
                "headers_too_large", "the extensions or trailers of a chunked body are too long", status=431
            )


def _line(data: bytes, at: int) -> bytes | None:
    """The line that begins at `at`, without its end; None while it has not arrived whole."""
    end = data.find(b"\r\n", at, at + _LINE_BYTES + 2)
    if end >= 0:
        return data[at:end]
    if len(data) - at > _LINE_BYTES or b"\n" in data[at:]:
        raise malformed("a line of a chunked body is too long, or does not end with CR LF")
    return None


def too_large(limit: int) -> RequestError:
    """The refusal of a body above `limit` bytes."""
    return RequestError("body_too_large", f"the body is too large; expected at most {limit} bytes", status=413)
