"""Media types: what a body is, by its Content-Type, and what an answer may be, by the Accept header."""

import functools
import re
from collections.abc import Iterable
from typing import Final

from serving.core.errors import RequestError

JSON: Final = "application/json"
CSV: Final = "text/csv"
ARROW: Final = "application/vnd.apache.arrow.stream"
ARROW_FILE: Final = "application/vnd.apache.arrow.file"
NPY: Final = "application/x-npy"
TENSOR: Final = "application/octet-stream"
PNG: Final = "image/png"
JPEG: Final = "image/jpeg"

ANSWERS: Final = (JSON, CSV, ARROW, NPY, TENSOR)
"""What an answer can be encoded as."""
_WILDCARDS: Final = {"*/*": JSON, "application/*": JSON, "text/*": CSV}
_CHARSET = re.compile(r"charset\s*=\s*\"?([^\";\s]+)", re.IGNORECASE)
_CHARSETS = {"utf-8", "utf8", "us-ascii"}


@functools.lru_cache(maxsize=256)
def media_type(content_type: str) -> str:
    """The media type in a Content-Type header, lower-case; RequestError 415 for a charset that is not supported."""
    name, _, parameters = content_type.partition(";")
    charset = _CHARSET.search(parameters)
    if charset and charset[1].lower() not in _CHARSETS:
        message = f"charset {charset[1]!r} is not supported; expected utf-8"
        raise RequestError("unsupported_content_type", message, status=415)
    return name.strip().lower()


def unsupported(content_type: str, known: Iterable[str]) -> RequestError:
    """The refusal of a body of another media type than those in `known`."""
    shown = f"Content-Type {content_type!r}" if content_type else "no Content-Type"
    message = f"{shown} was sent; expected {_listed(known)}"
    return RequestError("unsupported_content_type", message, status=415)


@functools.lru_cache(maxsize=256)
def answer_type(accept: str) -> str:
    """The media type to answer in, by the Accept header (order counts, q does not); RequestError 406 for others."""
    wanted = [part.split(";")[0].strip().lower() for part in accept.split(",")] if accept.strip() else ["*/*"]
    for name in wanted:
        if name in _WILDCARDS:
            return _WILDCARDS[name]
        if name in ANSWERS:
            return name
    raise not_acceptable(accept, ANSWERS)


def not_acceptable(accept: str, known: Iterable[str]) -> RequestError:
    """The refusal to answer in none of the media types in `known`."""
    message = f"Accept {accept!r} was sent; expected {_listed(known)}"
    return RequestError("not_acceptable", message, status=406)


def _listed(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last
