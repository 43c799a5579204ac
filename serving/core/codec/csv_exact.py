"""CSV to rows, the exact way: quotes, spaces, a header in any order; it words what is wrong."""

import csv
import io
import re
from collections.abc import Sequence

from models.spec import ModelSpec
from serving.core.errors import RequestError

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)


def csv_rows(body: bytes, spec: ModelSpec) -> Sequence[object]:
    """The rows in `body` as lists in the order of the features; not validated yet."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        message = f"the body is not UTF-8 text: {error.reason} at byte {error.start}"
        raise RequestError("malformed_csv", message) from error
    try:
        lines = [line for line in csv.reader(io.StringIO(text, newline=""), strict=True) if line]
    except csv.Error as error:
        raise RequestError("malformed_csv", f"the body is no valid CSV: {error}") from error
    if lines and is_header(lines[0], spec):
        header = [cell.strip() for cell in lines.pop(0)]
        _check_header(header, spec)
        order = [header.index(name) for name in spec.features]
        width = len(header)
        lines = [[line[i] for i in order] if len(line) == width else line for line in lines]
    numeric = [column.is_numeric for column in spec.feature_columns]
    return [
        [_cell(cell, number) for cell, number in zip(line, numeric, strict=True)] if len(line) == len(numeric) else line
        for line in lines
    ]


def is_header(line: Sequence[str], spec: ModelSpec) -> bool:
    """Whether the first line names fields: a data row would hold a number wherever the model has a numeric field."""
    cells = {cell.strip() for cell in line}
    return bool(cells & set(spec.features)) and not any(_NUMBER.fullmatch(cell) for cell in cells)


def _check_header(header: Sequence[str], spec: ModelSpec) -> None:
    expected = f"expected {', '.join(spec.features)}"
    for name in spec.features:
        if name not in header:
            raise RequestError("missing_field", f"the header lacks it; {expected}", field=name)
    for name in header:
        if name not in spec.features or header.count(name) > 1:
            raise RequestError("extra_field", f"the header names it, or names it twice; {expected}", field=name)


def _cell(text: str, numeric: bool) -> object:  # noqa: FBT001 - a private cell parser, called once
    """A CSV cell as the value it spells; text that is no number stays text, for validation to refuse."""
    cell = text.strip()
    if not cell:
        return None
    if numeric and (_NUMBER.fullmatch(cell) or _NOT_FINITE.fullmatch(cell)):
        return float(cell) + 0.0  # -0 is 0
    return cell
