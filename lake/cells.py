"""One cell: read as the type of its column, and the words for what the column takes.

Numbers are read as JSON and CSV producers write them (ASCII digits), not by Python's `float`, which also takes `1_000`,
`nan` and digits of other scripts. Nothing but an empty cell counts as missing: `NA` in a number column is an error.
"""

import re
from decimal import Decimal
from enum import Enum
from math import isfinite

from models.schema import Column

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_INT64 = range(-(2**63), 2**63)


class Invalid(Enum):
    """The one value that stands for a cell that is not of its column's type."""

    TYPE = "type"


Cell = float | int | str | None | Invalid


def read_cell(column: Column, value: object, *, text: bool) -> Cell:
    """`value` as the type of `column`; None when missing, `Invalid.TYPE` when it is not of that type.

    Ranges and categories are not looked at here. With `text` (CSV) numbers are read from text, else only a number is
    one. A whole number written as 12.0 is an integer.
    """
    if value is None or (text and value == ""):
        return None
    if not column.is_numeric:
        return value if isinstance(value, str) and _is_utf8(value) else Invalid.TYPE
    number = _number(value, text=text)
    if number is None or not isfinite(number):
        return Invalid.TYPE
    if column.type == "float":
        return float(number)
    return int(number) if number == int(number) and int(number) in _INT64 else Invalid.TYPE


def _number(value: object, *, text: bool) -> int | float | None:
    if text:
        stripped = value.strip() if isinstance(value, str) else ""
        if not _NUMBER.fullmatch(stripped):
            return None
        digits = stripped.lstrip("+-")
        # By way of float, integers above 2^53 would change.
        return int(stripped) if digits.isdigit() and len(digits) < 20 else float(stripped)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    if isinstance(value, int):
        return value if value in _INT64 else None
    return float(value)


def _is_utf8(value: str) -> bool:
    """JSON escapes can hold half a surrogate pair, which is no text."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
