"""The messages of Arrow's IPC format, read with Python's own bounds checks.

nanoarrow reads them as well, but bytes that were damaged on purpose made it crash the process (a segmentation fault
within some thousand mutations of a good stream; see docs/adr/0016). What is needed here is little: messages are
flatbuffers, each a table of slots behind a vtable, and a batch is a list of places in the body that follows.

https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc
"""

import functools
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from serving.core.errors import RequestError

SCHEMA: Final = 1
DICTIONARY_BATCH: Final = 2
RECORD_BATCH: Final = 3
_CONTINUATION: Final = 0xFFFFFFFF
_FILE_MAGIC: Final = b"ARROW1\0\0"
_FILE_END: Final = b"ARROW1"
_KNOWN_HEADS, _KNOWN_BYTES = 256, 4096
"""Batches of one size have the same metadata, so that what was read of it is kept: as many, of up to so many bytes."""
Spans = tuple[int, ...]
"""Numbers of nulls, or offset and length of buffers in a body, flat."""


class Table:
    """A flatbuffer table at `place` of `data`; struct.error for whatever lies outside."""

    __slots__ = ("_data", "_place", "_slots", "_vtable")

    def __init__(self, data: bytes, place: int) -> None:
        (offset,) = struct.unpack_from("<i", data, place)
        self._data, self._place, self._vtable = data, place, place - offset
        if self._vtable < 0:
            raise struct.error("a table's description lies before the data")
        (size,) = struct.unpack_from("<H", data, self._vtable)
        self._slots = size // 2 - 2

    def scalar(self, slot: int, kind: str, default: int = 0) -> int:
        """The number of struct type `kind` in `slot`."""
        place = self._field(slot)
        if not place:
            return default
        (value,) = struct.unpack_from("<" + kind, self._data, place)
        return value

    def table(self, slot: int) -> "Table | None":
        """The table that `slot` points to."""
        place = self._target(slot)
        return Table(self._data, place) if place else None

    def text(self, slot: int) -> str:
        """The text in `slot`; UnicodeDecodeError when it is not UTF-8."""
        place, length = self.vector(slot)
        if place + length > len(self._data):
            raise struct.error("a text ends outside of the data")
        return self._data[place : place + length].decode()

    def vector(self, slot: int) -> tuple[int, int]:
        """Where the items of a vector begin, and how many there are."""
        place = self._target(slot)
        return (place + 4, *struct.unpack_from("<I", self._data, place)) if place else (0, 0)

    def tables(self, slot: int, most: int) -> list["Table"]:
        """The tables of a vector; struct.error when there are more than `most`."""
        place, length = self.vector(slot)
        if length > most:
            raise struct.error(f"{length} items where at most {most} can be")
        offsets = struct.unpack_from(f"<{length}I", self._data, place)
        return [Table(self._data, place + 4 * i + offset) for i, offset in enumerate(offsets)]

    def pairs(self, slot: int, count: int) -> tuple[int, ...]:
        """A vector of `count` pairs of int64, flat; struct.error when it has another length."""
        place, length = self.vector(slot)
        if length != count:
            raise struct.error(f"{length} items where {count} are expected")
        return struct.unpack_from(f"<{2 * count}q", self._data, place)

    def _field(self, slot: int) -> int:
        """Where the value of `slot` lies, 0 when the table does not hold it."""
        if slot >= self._slots:
            return 0
        (offset,) = struct.unpack_from("<H", self._data, self._vtable + 4 + 2 * slot)
        return self._place + offset if offset else 0

    def _target(self, slot: int) -> int:
        place = self._field(slot)
        return place + struct.unpack_from("<I", self._data, place)[0] if place else 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One message: its kind, its header and where its body lies in the request."""

    kind: int
    metadata: bytes
    header: Table
    begin: int
    end: int


def messages(data: bytes) -> Iterator[Message]:
    """The messages in `data`, a stream or a file, up to its end mark; RequestError 400 or struct.error for others."""
    place = 0
    if data.startswith(_FILE_MAGIC):
        if not data.endswith(_FILE_END):
            raise malformed("it begins as a file and does not end as one")
        place = len(_FILE_MAGIC)
    while place < len(data):
        (size,) = struct.unpack_from("<I", data, place)
        place += 4
        if size == _CONTINUATION:
            (size,) = struct.unpack_from("<I", data, place)
            place += 4
        if size == 0:
            return
        if size > len(data) - place:
            raise malformed(f"a message of {size} bytes begins {len(data) - place} bytes before the end")
        metadata = data[place : place + size]
        place += size
        kind, length, header = (_known_head if size <= _KNOWN_BYTES else _head)(metadata)
        if not 0 <= length <= len(data) - place:
            raise malformed(f"a message has a body of {length} bytes, {len(data) - place} before the end")
        yield Message(kind=kind, metadata=metadata, header=header, begin=place, end=place + length)
        place += length


def _head(metadata: bytes) -> tuple[int, int, Table]:
    """Kind, length of the body and header of a message."""
    message = Table(metadata, struct.unpack_from("<I", metadata, 0)[0])
    header = message.table(2)
    if header is None:
        raise malformed("a message has no header")
    return message.scalar(1, "B"), message.scalar(3, "q"), header


_known_head = functools.lru_cache(maxsize=_KNOWN_HEADS)(_head)


def batch_layout(message: Message, columns: int, buffers: int) -> tuple[int, Spans, Spans]:
    """Rows of a record batch, the number of nulls of each column, and its buffers."""
    if len(message.metadata) > _KNOWN_BYTES:
        return layout(message.header, columns, buffers)
    return _known_layout(message.metadata, columns, buffers)


@functools.lru_cache(maxsize=_KNOWN_HEADS)
def _known_layout(metadata: bytes, columns: int, buffers: int) -> tuple[int, Spans, Spans]:
    return layout(_known_head(metadata)[2], columns, buffers)


def layout(header: Table, columns: int, buffers: int) -> tuple[int, Spans, Spans]:
    """As `batch_layout`, of the table of a batch."""
    if header.table(3) is not None:
        raise RequestError("malformed_arrow", "the batches are compressed; expected none of them to be")
    count, nodes = header.scalar(0, "q"), header.pairs(1, columns)
    if count < 0 or any(length != count for length in nodes[::2]):
        raise malformed(f"a batch of {count} rows has columns of {', '.join(map(str, nodes[::2]))}")
    return count, nodes[1::2], header.pairs(2, buffers)


def malformed(reason: str) -> RequestError:
    """The refusal of bytes that are not in Arrow's format."""
    return RequestError("malformed_arrow", f"the body is no Arrow IPC stream: {reason}")
