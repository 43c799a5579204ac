"""A request's head: parsed by llhttp (httptools) as a whole, then read once into what the server needs of it.

The bytes are at hand up to the empty line before anything is parsed, so a head is a pure function of its bytes and may
be remembered: most callers send the same head again and again. What llhttp lets through and RFC 9112 does not is
refused here. Everything that could make two parsers see two different requests (both lengths, repeated or odd lengths,
codings other than chunked, folded lines, bare line feeds) is an error that closes the connection.
"""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote

import httptools
import msgspec

from serving.core.errors import RequestError
from serving.http.limits import Limits
from serving.http.routes import INVOCATIONS

REQUEST_ID: Final = b"x-request-id"
DEADLINE: Final = b"x-request-deadline-ms"
VARIANT: Final = b"x-amzn-sagemaker-target-variant"
DEADLINE_MOST_MS: Final = 3_600_000
INVALID_DEADLINE: Final = -1

_BARE_LF: Final = re.compile(rb"(?<!\r)\n")
_REQUEST_LINE = re.compile(rb"([A-Z]{1,32}) ([!-~]+) HTTP/(\d)\.(\d)\r\n")
_AUTHORITY = re.compile(rb"[A-Za-z]+://[^/?#]*")
_HOST = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:%\[\]-]*")
_REQUEST_ID = re.compile(r"[!-~]{1,128}")
_ONCE = frozenset({b"host", b"content-length", b"transfer-encoding", b"content-type", b"content-encoding"})

Headers = Iterable[tuple[bytes, bytes]]


class Head(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What a request says before its body."""

    method: str
    path: str
    query: str
    http11: bool
    keep_alive: bool
    length: int
    """Announced bytes of the body; 0 without one, and where it comes in chunks."""
    chunked: bool
    expects: bool
    """The caller waits for "100 Continue" before it sends the body."""
    content_type: str
    content_encoding: str
    accept: str
    request_id: str
    """As the caller named the request; empty for the server to name it."""
    deadline_ms: int
    """How long the caller waits; 0 where it does not say, -1 where it says nonsense."""
    variant: str
    traceparent: str
    if_none_match: str
    direct: bool
    """A call of the model with nothing to be looked at but its body."""


class _Parser:
    """Collects what httptools finds."""

    __slots__ = ("complete", "headers")

    def __init__(self) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        self.complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.complete = True


def parse_head(raw: bytes, limits: Limits) -> Head:
    """The head that `raw` is, from the request line to the empty line; RequestError 400, 414, 417 or 431."""
    line = _REQUEST_LINE.match(raw)
    if line is None:
        raise malformed("the first line is no request line; expected 'POST /invocations HTTP/1.1'")
    method, target, major, minor = line.groups()
    if (major, minor) not in ((b"1", b"1"), (b"1", b"0")):
        raise malformed("the version of HTTP is not supported; expected HTTP/1.1 or HTTP/1.0")
    if len(target) > limits.target_bytes:
        message = f"the request target has {len(target)} bytes; expected at most {limits.target_bytes}"
        raise RequestError("target_too_long", message, status=414)
    if method == b"CONNECT":
        raise RequestError("method_not_allowed", "CONNECT is not allowed: this is no proxy", status=405)
    headers = _parse(raw)
    if len(headers) > limits.headers:
        message = f"{len(headers)} headers were sent; expected at most {limits.headers}"
        raise RequestError("headers_too_large", message, status=431)
    path, _, query = target.partition(b"#")[0].partition(b"?")
    return read_head(method.decode(), path, query, headers, http11=minor == b"1")


def _parse(raw: bytes) -> list[tuple[bytes, bytes]]:
    found = _Parser()
    parser = httptools.HttpRequestParser(found)
    try:
        parser.feed_data(raw)
    except httptools.HttpParserUpgrade:
        pass  # an offer to speak another protocol may be ignored, and is: the request stands by itself
    except httptools.HttpParserError as error:
        # llhttp may know only after the headers that they were wrong, such as an odd Transfer-Encoding.
        raise malformed(f"the request is not valid HTTP: {error}") from error
    if not found.complete:
        raise malformed("the request is not valid HTTP: its headers do not end where they seem to")
    return found.headers


def read_head(method: str, path: bytes, query: bytes, headers: Headers, *, http11: bool) -> Head:
    """What `headers` (names in lower case) say; RequestError 400 where they contradict themselves, 417."""
    fields: dict[bytes, str] = {}
    for name, value in headers:
        text = value.decode("latin-1").strip(" \t")
        if name in fields:
            if name in _ONCE:
                raise malformed(f"the header {name.decode()} is repeated; expected it once")
            text = f"{fields[name]}, {text}"
        fields[name] = text
    get = fields.get
    authority = _AUTHORITY.match(path)
    if authority:  # a proxy's form of the request line, which every server must take
        path = path[authority.end() :] or b"/"
    length, chunked = _framing(get(b"content-length"), get(b"transfer-encoding"), http11=http11)
    _check_host(get(b"host"), http11=http11)
    connection = {token.strip() for token in get(b"connection", "").lower().split(",")}
    expectation = get(b"expect", "").lower() if http11 else ""
    if expectation not in {"", "100-continue"}:
        message = f"Expect {expectation[:40]!r} cannot be met; expected 100-continue or none"
        raise RequestError("expectation_failed", message, status=417)
    request_id = get(REQUEST_ID, "")
    encoding = get(b"content-encoding", "").lower()
    deadline_ms = _deadline_ms(get(DEADLINE, ""))
    return Head(
        method=method,
        path=unquote(path.decode("latin-1")) if b"%" in path else path.decode("latin-1"),
        query=query.decode("latin-1"),
        http11=http11,
        keep_alive="close" not in connection and (http11 or "keep-alive" in connection),
        length=length,
        chunked=chunked,
        expects=bool(expectation),
        content_type=get(b"content-type", ""),
        content_encoding="" if encoding == "identity" else encoding,
        accept=get(b"accept", ""),
        request_id=request_id if _REQUEST_ID.fullmatch(request_id) else "",
        deadline_ms=deadline_ms,
        variant=get(VARIANT, ""),
        traceparent=get(b"traceparent", ""),
        if_none_match=get(b"if-none-match", ""),
        direct=method == "POST"
        and path == INVOCATIONS.encode()
        and not (chunked or expectation or deadline_ms < 0)
        and encoding in {"", "identity"},
    )


def _framing(length: str | None, coding: str | None, *, http11: bool) -> tuple[int, bool]:
    """How long the body is, and whether it comes in chunks."""
    if coding is not None:
        if length is not None:
            raise malformed("Content-Length and Transfer-Encoding were both sent; expected one of them")
        if not http11 or coding.lower() != "chunked":
            raise malformed(f"Transfer-Encoding {coding[:40]!r} is not supported; expected chunked, with HTTP/1.1")
        return 0, True
    if length is None:
        return 0, False
    if not (length.isascii() and length.isdigit() and len(length) <= 18):
        raise malformed(f"Content-Length is {length[:40]!r}; expected a number of bytes")
    return int(length), False


def _check_host(host: str | None, *, http11: bool) -> None:
    if host is None:
        if http11:
            raise malformed("the header Host is missing")
    elif not _HOST.fullmatch(host):
        raise malformed("the header Host is no name of a host")


def _deadline_ms(text: str) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) <= 7 and 0 < int(text) <= DEADLINE_MOST_MS):
        return INVALID_DEADLINE
    return int(text)


def malformed(message: str) -> RequestError:
    """The refusal of what is not HTTP."""
    return RequestError("malformed_request", message)


def check_partial(data: bytes, most: int) -> None:
    """RequestError when more bytes cannot make a head of `data`, or of more than `most` bytes."""
    if len(data) > most:
        if b"\r\n" not in data[:most]:
            raise RequestError("target_too_long", f"the request line is longer than {most} bytes", status=414)
        raise RequestError("headers_too_large", f"the headers are larger than {most} bytes", status=431)
    if not 65 <= data[0] <= 90 or _BARE_LF.search(data):
        raise malformed("the request is not valid HTTP: a method in capitals comes first, and lines end with CR LF")
