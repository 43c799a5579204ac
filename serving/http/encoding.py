"""Content-Encoding: gzip, unpacked within the limit of the body, so that a small body cannot become a huge one."""

import zlib
from typing import Final

from serving.core.errors import RequestError
from serving.http.chunks import too_large

GZIP: Final = frozenset({"gzip", "x-gzip"})
_GZIP_WINDOW: Final = 31
"""zlib's number for a gzip header around the largest window."""
_MEMBERS: Final = 16
"""gzip may be several files one behind another. Each takes time however small it is."""


def check_encoding(encoding: str) -> None:
    """RequestError 415 for an encoding that `decoded` cannot undo; an empty one is none."""
    if encoding and encoding not in GZIP:
        message = f"Content-Encoding {encoding[:40]!r} is not supported; expected gzip or none"
        raise RequestError("unsupported_content_encoding", message, status=415)


def decoded(body: bytes, encoding: str, limit: int) -> bytes:
    """`body` without its encoding; RequestError 400 when it is not gzip, 413 above `limit` bytes."""
    return _gunzip(body, limit) if encoding else body


def _gunzip(body: bytes, limit: int) -> bytes:
    content = bytearray()
    rest = body
    for _ in range(_MEMBERS):
        member = zlib.decompressobj(_GZIP_WINDOW)
        try:
            # One byte above the limit is enough to know.
            content += member.decompress(rest, limit + 1 - len(content))
        except zlib.error as error:
            raise _broken(f"it is damaged, or no gzip at all ({error})") from error
        if len(content) > limit:
            raise too_large(limit)
        if not member.eof:
            raise _broken("it ends too early")
        rest = member.unused_data
        if not rest:
            return bytes(content)
    raise _broken(f"it has more than {_MEMBERS} parts")


def _broken(reason: str) -> RequestError:
    return RequestError("malformed_encoding", f"the body is not what Content-Encoding gzip says: {reason}")
