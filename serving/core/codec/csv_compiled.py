"""CSV to numbers, the fast way: plain cells, in the order of the features, with or without a header of that order.

All cells of all lines are joined to one JSON array of numbers, which msgspec parses at once; categories become their
index before, and empty cells NaN afterwards. Quotes, spaces around a category, another order, and whatever else is not
as plain as that, go the exact way: a fast answer is given only where the exact one would be the same.
"""

import struct
from typing import Final

import msgspec
import numpy as np

from models.spec import ModelSpec
from serving.core.codec.csv_exact import is_header
from serving.core.codec.json_compiled import REFUSED, Decoded, Decoder
from serving.core.codec.row_type import NAN
from serving.core.matrix_rules import Floats, MatrixRules

_PLAIN: Final = frozenset('",\r\n')
_numbers = msgspec.json.Decoder(list[float]).decode


def compiled_csv(spec: ModelSpec, rules: MatrixRules, exact: Decoder) -> Decoder:
    """A decoder of CSV that hands to `exact` what it does not accept itself."""
    names = {category for column in spec.feature_columns for category in column.categories}
    # A line of one cell may be left out when it is empty; a line of categories may look like a header.
    if len(spec.features) < 2 or names & set(spec.features):
        return exact
    table = _Table(spec, rules)

    def decode(body: bytes) -> Decoded:
        try:
            matrix = table.matrix(body)
        except (KeyError, *REFUSED):
            return exact(body)
        if matrix is None or not rules.good(matrix, rules.missing(matrix)).all():
            return exact(body)
        return len(matrix), matrix.astype(np.float32)

    return decode


class _Table:
    """Plain CSV of one model as a matrix."""

    def __init__(self, spec: ModelSpec, rules: MatrixRules) -> None:
        columns = spec.feature_columns
        self._spec, self._rules = spec, rules
        self._most = spec.serving.max_rows
        self._width = len(columns)
        self._header = ",".join(spec.features).encode()
        self._nullable = [i for i, column in enumerate(columns) if column.nullable]
        self._places = {
            i: {name.encode(): b"%d" % place for place, name in enumerate(column.categories) if _is_plain(name)}
            for i, column in enumerate(columns)
            if column.type == "category"
        }

    def matrix(self, body: bytes) -> Floats | None:
        """float64 [N, F], not validated; None, or an error that msgspec or a dict raises, for what is not plain.

        RequestError for more rows than the model takes.
        """
        cells = self._cells(body)
        if cells is None:
            return None
        width = self._width
        if len(cells) > self._most * width and not self._is_header(cells[:width]):
            # Told here, too many rows cost a tenth of what the exact way would spend on them.
            self._rules.count(len(cells) // width)
        missing: list[tuple[int, list[int]]] = []
        for i in self._nullable:
            column = cells[i::width]
            if b"" in column:
                missing.append((i, [row for row, cell in enumerate(column) if not cell]))
                filler = next(iter(self._places[i]), b"") if i in self._places else b"0"
                cells[i::width] = [cell or filler for cell in column]
        for i, places in self._places.items():
            cells[i::width] = [places[cell] for cell in cells[i::width]]
        numbers = _numbers(b"[%b]" % b",".join(cells))
        # The sum is a copy, which can be written to, and has no negative zero: `-0` is read as one by floats only.
        matrix = np.frombuffer(struct.pack(f"{len(numbers)}d", *numbers)).reshape(-1, width) + 0.0
        for i, rows in missing:
            matrix[rows, i] = NAN
        return matrix

    def _is_header(self, cells: list[bytes]) -> bool:
        """Whether the first line names the features in another order."""
        return is_header([cell.decode(errors="replace") for cell in cells], self._spec)

    def _cells(self, body: bytes) -> list[bytes] | None:
        """The cells of all lines in a row; None unless every line has as many as there are features."""
        text = body.replace(b"\r\n", b"\n") if b"\r" in body else body
        if text.startswith(self._header):
            line = len(self._header)
            if text[line : line + 1] != b"\n":
                return None
            text = text[line + 1 :]
        text = text.rstrip(b"\n")
        lines = text.count(b"\n") + 1
        # A line's end becomes a cell of its own, which must then stand behind every last cell.
        cells = text.replace(b"\n", b",\n,").split(b",")
        stride = self._width + 1
        if b'"' in text:
            return None
        if len(cells) != lines * stride - 1 or cells[self._width :: stride].count(b"\n") != lines - 1 or b"\r" in text:
            return None
        del cells[self._width :: stride]
        return cells


def _is_plain(category: str) -> bool:
    """Whether a cell without quotes that spells `category` is read as it is."""
    return bool(category) and category == category.strip() and not _PLAIN & set(category)
