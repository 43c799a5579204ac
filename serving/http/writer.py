"""Answers as bytes. Heads are made once a second for each kind of answer; the request's id alone is put in."""

import time
from collections.abc import Mapping
from email.utils import formatdate
from http import HTTPStatus
from typing import Final

from serving.core.job import Answer
from serving.http.routes import Response

KEEP, CLOSE, KEEP_HTTP10 = 0, 1, 2
"""How an answer ends: the connection goes on, it closes, or it goes on for a caller who speaks HTTP/1.0."""
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
VARIANT: Final = "x-amzn-invoked-production-variant"

_CONNECTION = ("", "connection: close\r\n", "connection: keep-alive\r\n")
_KINDS: Final = 4096
BODILESS: Final = frozenset({204, 304})
EVERYWHERE: Final[Mapping[str, str]] = {"x-content-type-options": "nosniff", "cache-control": "no-store"}


class Writer:
    """Renders answers of one front."""

    def __init__(self) -> None:
        self._heads: dict[tuple[str, int, int, str], bytes] = {}
        self._date = ""
        self.tick()

    def tick(self) -> None:
        """Bring the Date header up to date; call it every second or so."""
        date = formatdate(time.time(), usegmt=True)
        if date != self._date:
            self._date = date
            self._heads.clear()

    def answer(self, answer: Answer, request_id: bytes, ending: int, variant: str) -> bytes:
        """A prediction."""
        body = answer.body
        key = (answer.content_type, len(body), ending, variant)
        head = self._heads.get(key)
        if head is None:
            head = self._remember(key)
        return b"%b%b\r\n\r\n%b" % (head, request_id, body)

    def _remember(self, key: tuple[str, int, int, str]) -> bytes:
        content_type, length, ending, variant = key
        if len(self._heads) >= _KINDS:
            self._heads.clear()
        extra = {VARIANT: variant} if variant else {}
        head = self._heads[key] = self._head(200, content_type, length, ending, extra)
        return head

    def response(self, response: Response, request_id: bytes, ending: int, *, head_only: bool = False) -> bytes:
        """Any other answer; without its body for HEAD."""
        length = None if response.status in BODILESS else len(response.body)
        head = self._head(response.status, response.content_type, length, ending, response.headers)
        body = b"" if head_only or length is None else response.body
        return b"%b%b\r\n\r\n%b" % (head, request_id, body)

    def _head(self, status: int, content_type: str, length: int | None, ending: int, extra: Mapping[str, str]) -> bytes:
        """Status line and headers, up to the value of the last one, which is the request's id."""
        headers = {"date": self._date, **EVERYWHERE, **extra}
        if length is not None:
            headers |= {"content-type": content_type, "content-length": str(length)}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        start = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
        return f"{start}{lines}{_CONNECTION[ending]}x-request-id: ".encode("latin-1")
