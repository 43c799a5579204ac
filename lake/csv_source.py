"""CSV: UTF-8 (with or without byte-order mark), comma, a header line, RFC 4180 quotes, any line end.

A record may span lines (quoted line ends); its line is the one it begins on. A record that cannot be split into cells
is refused by itself, with its text, and reading goes on after it.
"""

import csv
import io
from collections.abc import Iterator

from lake.parsed import Parsed, Rejection, Row, name_problems, needed_names, refused
from models.spec import ModelSpec

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class _Lines:
    """Hands lines to the csv reader and remembers those of the record being read."""

    def __init__(self, text: str) -> None:
        self._lines = io.StringIO(text, newline="")
        self._taken: list[str] = []
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.number += 1
        self._taken.append(line)
        return line

    def take(self) -> str:
        """The text read since the last call, without its line end."""
        text = "".join(self._taken)
        self._taken.clear()
        return text.removesuffix("\n").removesuffix("\r")


def decode(body: bytes, *, expected: str) -> str | Parsed:
    """The text of a UTF-8 object, or the object refused because it is none."""
    if body.startswith(_UTF16_MARKS):
        return refused(body, f"encoded as UTF-16, expected {expected} in UTF-8")
    if b"\0" in body:
        return refused(body, f"binary content (a NUL byte at {body.index(0)}), expected {expected}")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        wrong = f"byte 0x{body[error.start]:02x} in line {line} is not UTF-8"
        return refused(body, f"{wrong}, expected {expected} in UTF-8")


def parse_csv(spec: ModelSpec, body: bytes, optional: frozenset[str] = frozenset()) -> Parsed:
    """The rows of a CSV object; its header holds the columns of `spec`, in any order, `optional` ones or not."""
    text = decode(body, expected="CSV")
    if isinstance(text, Parsed):
        return text
    columns = ",".join(needed_names(spec, optional))
    lines = _Lines(text)
    records = csv.reader(lines, strict=True)
    try:
        none: list[str] = []
        first = next((record for record in records if record), none)
    except csv.Error as error:
        return refused(body, f"the header is no CSV ({error}), expected {columns}")
    lines.take()
    header = [name.strip() for name in first]
    if not header:
        return refused(body, f"an empty object, expected the header {columns} and at least one row")
    if problems := name_problems(spec, header, optional=optional):
        hint = "" if len(header) > 1 else " separated by commas"
        return refused(body, f"header: {'; '.join(problems.values())}; expected {columns}{hint}", tuple(problems))
    return _rows(body, header, records, lines)


def _rows(body: bytes, header: list[str], records: Iterator[list[str]], lines: _Lines) -> Parsed:
    rows: list[Row] = []
    rejections: list[Rejection] = []
    while True:
        line = lines.number + 1
        try:
            record = next(records)
        except StopIteration:
            break
        except csv.Error as error:
            reason = f"no CSV ({error}), expected {len(header)} cells with balanced quotes"
            rejections.append(Rejection(line=line, fields=(), reason=reason, raw=lines.take()))
            continue
        raw = lines.take()
        if len(record) == len(header):
            rows.append(Row(line=line, values=dict(zip(header, record, strict=True)), raw=raw))
        elif record:
            reason = f"{len(record)} cells, expected {len(header)}"
            rejections.append(Rejection(line=line, fields=(), reason=reason, raw=raw))
    if not rows and not rejections:
        return refused(body, "a header without rows, expected at least one row")
    return Parsed(rows=tuple(rows), rejections=tuple(rejections), text=True)
