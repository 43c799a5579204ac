"""Arrow IPC, as a stream or as a file, to rows: columns by name, in any order and of any number type.

A category is text, or text by dictionary (which is read faster). Null is null; a NaN that is not null is refused as in
JSON. Every place that a batch names is checked against its body before it is looked at.
"""

import struct
from collections import OrderedDict
from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from serving.core.codec.arrow_messages import (
    DICTIONARY_BATCH,
    RECORD_BATCH,
    SCHEMA,
    Message,
    Spans,
    batch_layout,
    layout,
    malformed,
    messages,
)
from serving.core.codec.arrow_schema import ColumnPlan, Plan, read_schema
from serving.core.codec.arrow_words import Categories
from serving.core.codec.json_compiled import Decoded, Decoder
from serving.core.errors import RequestError
from serving.core.matrix_rules import Mask, MatrixRules, shortest

_KEPT_SCHEMAS, _KEPT_BYTES = 64, 16_384
_MOST_WORDS: Final = 100_000
"""No dictionary that is sent for some rows needs more."""
_NULL: Final = -2.0

Words = list[bytes | None]
Column = npt.NDArray[Any]


def arrow_decoder(rules: MatrixRules) -> Decoder:
    """A decoder of Arrow IPC."""
    categories = [Categories(column.categories) for column in rules.columns]
    plans: OrderedDict[bytes, Plan] = OrderedDict()

    def plan(message: Message) -> Plan:
        known = plans.get(message.metadata)
        if known is None:
            known = read_schema(message.header, rules)
            if len(message.metadata) <= _KEPT_BYTES:
                plans[message.metadata] = known
            if len(plans) > _KEPT_SCHEMAS:
                plans.popitem(last=False)
        return known

    def decode(body: bytes) -> Decoded:
        try:
            stream = messages(body)
            first = next(stream, None)
            if first is None:
                raise RequestError("no_rows", "the body is empty; expected an Arrow IPC stream")
            if first.kind != SCHEMA:
                raise malformed("its first message is no schema")
            rows = _Rows(body, rules, categories, plan(first))
            for message in stream:
                rows.take(message)
        except (struct.error, UnicodeDecodeError) as error:
            raise malformed(str(error)) from error
        return rows.decoded()

    return decode


class _Rows:
    """The rows of one request, batch by batch."""

    def __init__(self, body: bytes, rules: MatrixRules, categories: list[Categories], plan: Plan) -> None:
        self._body, self._rules, self._categories, self._plan = body, rules, categories, plan
        self._count = 0
        self._words: dict[int, Words] = {}
        self._matrices: list[npt.NDArray[np.float64]] = []
        self._missing: list[Mask | None] = []
        self._texts: dict[tuple[int, int], Callable[[int], bytes | None]] = {}
        """By batch and feature: the text of a row."""

    def take(self, message: Message) -> None:
        """Read a batch of rows or of a dictionary's words."""
        if message.kind == RECORD_BATCH:
            self._batch(message)
        elif message.kind == DICTIONARY_BATCH:
            self._dictionary(message)
        else:
            raise malformed(f"a message is of kind {message.kind}")

    def decoded(self) -> Decoded:
        """All rows, checked."""
        self._rules.count(self._count)
        matrix = np.concatenate(self._matrices) if len(self._matrices) > 1 else self._matrices[0]
        missing = self._all_missing()
        good = self._rules.good(matrix, missing, self._plan.bounds)
        if not good.all():
            raise self._rules.fault(good, matrix, self._sent)
        return len(matrix), matrix.astype(np.float32)

    def _all_missing(self) -> Mask | None:
        if not any(mask is not None for mask in self._missing):
            return None
        pairs = zip(self._matrices, self._missing, strict=True)
        return np.concatenate([np.zeros(matrix.shape, dtype=bool) if mask is None else mask for matrix, mask in pairs])

    def _sent(self, row: int, position: int) -> object:
        """The value of a feature as it was sent, for a message."""
        batch = 0
        while row >= len(self._matrices[batch]):
            row -= len(self._matrices[batch])
            batch += 1
        mask = self._missing[batch]
        if mask is not None and mask[row, position]:
            return None
        if (batch, position) not in self._texts:
            value = self._matrices[batch][row, position]
            return shortest(np.float32(value) if self._plan.narrow[position] else value)
        word = self._texts[batch, position](row)
        return None if word is None else word.decode("utf-8", "replace")

    def _dictionary(self, message: Message) -> None:
        """Keep the words of a dictionary, or what a delta adds to it."""
        name, header = message.header.scalar(0, "q"), message.header.table(1)
        column = self._plan.dictionaries.get(name)
        if column is None or column.offsets is None or header is None:
            raise malformed(f"dictionary {name} is of no column")
        count, nulls, buffers = layout(header, columns=1, buffers=3)
        if count > _MOST_WORDS:
            raise malformed(f"dictionary {name} has {count} words; expected at most {_MOST_WORDS}")
        words: Words = []
        if count:
            begin, offsets = self._offsets(message, column.offsets, count, buffers)
            words = [self._body[begin + left : begin + right] for left, right in pairwise(offsets.tolist())]
        null = self._null(message, count, nulls[0], buffers)
        if null is not None:
            words = [None if gone else word for word, gone in zip(words, null, strict=True)]
        self._words[name] = [*self._words.get(name, []), *words] if message.header.scalar(2, "B") else words

    def _batch(self, message: Message) -> None:
        columns = self._plan.columns
        count, nulls, buffers = batch_layout(message, len(columns), self._plan.buffers)
        if not count:
            return
        self._count += count
        self._rules.count(self._count)
        matrix = np.empty((count, len(columns)))
        masks: list[tuple[int, Mask]] = []
        for column, some in zip(columns, nulls, strict=True):
            own = 4 if column.numbers is not None else 6
            values, null = self._column(message, column, count, some, buffers[:own])
            buffers = buffers[own:]
            matrix[:, column.position] = values
            if null is not None:
                masks.append((column.position, null))
        self._matrices.append(matrix)
        self._missing.append(_without(matrix, masks) if masks else None)

    def _column(
        self, message: Message, column: ColumnPlan, count: int, nulls: int, buffers: Spans
    ) -> tuple[Column, Mask | None]:
        """The values [count] of one column and which of them are null; those are of any value."""
        null = self._null(message, count, nulls, buffers)
        if column.numbers is None:
            return self._categories_of(message, column, count, buffers), null
        places = self._view(message, column.numbers, count, buffers[2:])
        if column.dictionary is None:
            return places, null
        words = self._words.get(column.dictionary) or [None]
        if null is not None:
            places = np.where(null, 0, places)
        if int(places.min()) < 0 or int(places.max()) >= len(words):
            raise malformed(f"a column names places beyond the {len(words)} words of its dictionary")
        self._texts[len(self._matrices), column.position] = lambda row: words[int(places[row])]
        place = self._categories[column.position].place
        values = np.array([_NULL if word is None else place(word) for word in words])[places]
        if None in words:
            gone = values == _NULL
            null = gone if null is None else null | gone
        return values, null

    def _categories_of(self, message: Message, column: ColumnPlan, count: int, buffers: Spans) -> Column:
        """The places [count] of the categories that a column of text spells."""
        begin, offsets = self._offsets(message, column.offsets, count, buffers)
        body, categories = self._body, self._categories[column.position]

        def text(row: int) -> bytes:
            return body[begin + int(offsets[row]) : begin + int(offsets[row + 1])]

        self._texts[len(self._matrices), column.position] = text
        places = categories.places(np.frombuffer(body, dtype=np.uint8, offset=begin), offsets)
        return np.array([categories.place(text(row)) for row in range(count)]) if places is None else places

    def _offsets(
        self, message: Message, kind: np.dtype[Any] | None, count: int, buffers: Spans
    ) -> tuple[int, npt.NDArray[np.int64]]:
        """Where the bytes of a column of text begin, and the offsets [count + 1] of its texts among them."""
        offsets = self._view(message, kind or np.dtype("<i4"), count + 1, buffers[2:])
        begin = self._place(message, buffers[4], buffers[5])
        if offsets[0] < 0 or offsets[-1] > buffers[5] or (offsets[1:] < offsets[:-1]).any():
            raise malformed("a column's offsets do not ascend inside its bytes")
        return begin, offsets

    def _null(self, message: Message, count: int, nulls: int, buffers: Spans) -> Mask | None:
        """Which values [count] are null; None when none is."""
        if not nulls:
            return None
        bits = self._view(message, np.dtype(np.uint8), (count + 7) // 8, buffers)
        return np.unpackbits(bits, bitorder="little", count=count) == 0

    def _view(self, message: Message, kind: np.dtype[Any], count: int, buffers: Spans) -> Column:
        """`count` values of the first of `buffers`."""
        offset, length = buffers[0], buffers[1]
        if length < count * kind.itemsize:
            raise malformed(f"a buffer has {length} bytes; {count} values of {kind} need {count * kind.itemsize}")
        return np.frombuffer(self._body, dtype=kind, count=count, offset=self._place(message, offset, length))

    def _place(self, message: Message, offset: int, length: int) -> int:
        if offset < 0 or length < 0 or offset + length > message.end - message.begin:
            raise malformed(f"a buffer of {length} bytes at {offset} lies outside of its message")
        return message.begin + offset


def _without(matrix: npt.NDArray[np.float64], masks: list[tuple[int, Mask]]) -> Mask:
    """All masks as one, [N, F]; what they name becomes NaN in `matrix`."""
    missing = np.zeros(matrix.shape, dtype=bool)
    for position, null in masks:
        missing[:, position] = null
    matrix[missing] = np.nan
    return missing
