"""Heads of calls seen before, by their bytes: a parse saved for callers that repeat themselves, which nearly all do.

Two headers differ in every request of callers that send them: the request's id and the trace's context. Their lines are
cut out before the look, and put into what was remembered. A head without one whole line is still a head, and says the
same but for that line; a property-based test compares.
"""

import re
from typing import Final

import msgspec

from serving.http.head import Head, parse_head
from serving.http.limits import Limits

_HEADS: Final = 1024
_BYTES: Final = 2048
_ID: Final = re.compile(rb"\r\nx-request-id: ([!-~]{1,128})(?=\r\n)", re.IGNORECASE)
_TRACE: Final = re.compile(rb"\r\ntraceparent: ([!-~]{1,128})(?=\r\n)", re.IGNORECASE)
_NAMES: Final = re.compile(rb"x-request-id|traceparent", re.IGNORECASE)
"""A head in which one of these is left, such as one that was sent twice, is not remembered."""


class HeadMemory:
    """What one front remembers: a bounded number of heads of bounded size."""

    __slots__ = ("_limits", "known")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.known: Final[dict[bytes, Head]] = {}
        """Heads that name neither request nor trace; all of them `direct`."""

    def read(self, raw: bytes) -> Head:
        """The head that `raw` is; RequestError when it is none."""
        head = self.known.get(raw)
        if head is not None:
            return head
        bare, request_id = _cut(raw, _ID)
        bare, traceparent = _cut(bare, _TRACE)
        known = self.known.get(bare) if bare is not raw else None
        if known is not None:
            return msgspec.structs.replace(known, request_id=request_id, traceparent=traceparent)
        head = parse_head(raw, self._limits)
        if head.direct and len(bare) <= _BYTES and not _NAMES.search(bare):
            if len(self.known) >= _HEADS:
                self.known.clear()
            self.known[bare] = msgspec.structs.replace(head, request_id="", traceparent="")
        return head


def _cut(raw: bytes, line: re.Pattern[bytes]) -> tuple[bytes, str]:
    """`raw` without the first `line`, and what that line said."""
    found = line.search(raw)
    if found is None:
        return raw, ""
    return raw[: found.start()] + raw[found.end() :], found[1].decode()
