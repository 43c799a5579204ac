"""Rows checked against the specification, compiled once at start into one small function per field.

This is the exact way, which words what is wrong; `serving.core.matrix_rules` has the same rules for whole matrices, and
`serving.core.codec.row_type` as types for msgspec.

The rules: every feature is given and nothing else; a number is a number (not a boolean, not text), finite and inside
the specification's range; an integer has no fraction; a category is a known one; null only where the column allows it.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final, cast

from models.schema import Column, spelt
from models.spec import ModelSpec
from serving.core.errors import RequestError

FLOAT32_MAX: Final = 3.4028234663852886e38

Value = float | str | None
Check = Callable[[object, int], Value]
Row = Mapping[str, object] | Sequence[object]


class Validator:
    """Checks decoded rows of one model."""

    def __init__(self, spec: ModelSpec) -> None:
        self.features: Final = spec.features
        self.max_rows: Final = spec.serving.max_rows
        self._known = frozenset(spec.features)
        self._checks = tuple(_compile(column) for column in spec.feature_columns)

    def columns(self, rows: Sequence[object]) -> dict[str, list[Value]]:
        """The values of `rows` by feature, ready for `models.rows.feature_matrix`; RequestError names row and field.

        A row is an object by name or an array in the order of the features; all rows are of the same kind.
        """
        self.count(len(rows))
        by_name = isinstance(rows[0], Mapping)
        table: list[list[Value]] = [[] for _ in self.features]
        for number, row in enumerate(rows):
            values = self._by_name(row, number) if by_name else self._in_order(row, number)
            for collected, check, value in zip(table, self._checks, values, strict=True):
                collected.append(check(value, number))
        return dict(zip(self.features, table, strict=True))

    def count(self, rows: int) -> None:
        """RequestError for a request without rows or with more than the model takes."""
        if not rows:
            raise RequestError("no_rows", "no rows were sent; expected at least one")
        if rows > self.max_rows:
            message = f"{rows} rows were sent; expected at most {self.max_rows} in one request"
            raise RequestError("too_many_rows", message, status=413)

    def value(self, position: int, value: object, row: int) -> Value:
        """`value` of the feature at `position`, if it is right; RequestError names `row` and field."""
        return self._checks[position](value, row)

    def _by_name(self, row: object, number: int) -> list[object]:
        if not isinstance(row, Mapping):
            raise RequestError("wrong_type", f"expected an object like row 0, got {_shown(row)}", row=number)
        named = cast("Mapping[str, object]", row)
        for name in self.features:
            if name not in named:
                message = "missing; expected " + self._expected(name)
                raise RequestError("missing_field", message, row=number, field=name)
        if len(named) != len(self.features):
            extra = next(name for name in named if name not in self._known)
            message = f"not a field of this model; expected {', '.join(self.features)}"
            raise RequestError("extra_field", message, row=number, field=extra)
        return [named[name] for name in self.features]

    def _expected(self, name: str) -> str:
        return self._checks[self.features.index(name)].__doc__ or ""

    def _in_order(self, row: object, number: int) -> Sequence[object]:
        order = f"expected {len(self.features)} values: {', '.join(self.features)}"
        if isinstance(row, str) or not isinstance(row, Sequence):
            raise RequestError("wrong_type", f"{order}; got {_shown(row)}", row=number)
        values = cast("Sequence[object]", row)
        if len(values) < len(self.features):
            field = self.features[len(values)]
            raise RequestError("missing_field", f"missing; {order}; got {len(values)}", row=number, field=field)
        if len(values) > len(self.features):
            raise RequestError("extra_field", f"{order}; got {len(values)}", row=number)
        return values


def _compile(column: Column) -> Check:
    """The check of one field. Its docstring says what it expects, for messages."""
    check = _category(column) if column.type == "category" else _number(column)
    check.__doc__ = column.expectation
    return check


def _category(column: Column) -> Check:
    name, known = column.name, frozenset(column.categories)

    def check(value: object, row: int) -> Value:
        if value is None:
            return _null(column, row)
        if not isinstance(value, str):
            raise RequestError("wrong_type", f"expected {column.expectation}, got {_shown(value)}", row=row, field=name)
        if value not in known:
            message = f"unknown category {_shown(value)}; expected {column.expectation}"
            raise RequestError("unknown_category", message, row=row, field=name)
        return value

    return check


def _number(column: Column) -> Check:
    name, integer = column.name, column.type == "integer"
    low = -FLOAT32_MAX if column.minimum is None else column.minimum
    high = FLOAT32_MAX if column.maximum is None else column.maximum

    def check(value: object, row: int) -> Value:
        if value is None:
            return _null(column, row)
        if isinstance(value, bool) or not isinstance(value, int | float):
            code, message = "wrong_type", f"expected {column.expectation}, got {_shown(value)}"
        elif isinstance(value, float) and not math.isfinite(value):
            code, message = "not_finite", f"expected {column.expectation}, got {value}"
        elif integer and isinstance(value, float) and not value.is_integer():
            code, message = "wrong_type", f"expected {column.expectation}, got {value}"
        elif not low <= value <= high:
            code, message = "out_of_range", f"expected {column.expectation}, got {_shown(value)}"
        else:
            return float(value)
        raise RequestError(code, message, row=row, field=name)

    return check


def _null(column: Column, row: int) -> None:
    if not column.nullable:
        message = f"must not be null or empty; expected {column.expectation}"
        raise RequestError("null_value", message, row=row, field=column.name)


def _shown(value: object) -> str:
    """The offending value, short enough for a message."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return "an array"
    # An int of thousands of digits must not be spelt out: Python refuses to, with a ValueError.
    text = spelt(value) if isinstance(value, float) else "a huge number"
    if isinstance(value, int) and abs(value) < 10**30:
        text = str(value)
    if isinstance(value, str):
        text = f"the text {value[:40]!r}" + ("…" if len(value) > 40 else "")
    return text
