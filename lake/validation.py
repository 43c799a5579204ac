"""Rows against the specification: a pandera schema made from it, all that is wrong with a row in one reason."""

from dataclasses import dataclass
from typing import cast

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from lake.cells import Cell, Invalid, read_cell
from lake.parsed import Parsed, Rejection, Row
from models.schema import Column
from models.spec import ModelSpec

_DTYPES = {"float": "float64", "integer": "Int64", "string": "string", "category": "string"}
_SHOWN_CHARACTERS = 60


@dataclass(frozen=True, kw_only=True)
class ValidRow:
    """A row that fits: its line, its values in the order of `spec.columns` and the text it came from."""

    line: int
    values: tuple[float | int | str | None, ...]
    raw: str


@dataclass(frozen=True, kw_only=True)
class Validated:
    """The rows of one object, parted; every row that was parsed is on one side."""

    rows: tuple[ValidRow, ...]
    rejections: tuple[Rejection, ...]


def schema_for(spec: ModelSpec) -> pa.DataFrameSchema:
    """The table's schema: types, ranges, categories and what may be missing."""
    return pa.DataFrameSchema(
        {
            column.name: pa.Column(_DTYPES[column.type], checks=_checks(column), nullable=column.nullable)
            for column in spec.columns
        },
        strict=True,
    )


# pandera gives the arguments of its built-in checks no types.
# pyright: reportUnknownMemberType=false


def _checks(column: Column) -> list[pa.Check]:
    checks: list[pa.Check] = []
    if column.minimum is not None:
        checks.append(pa.Check.ge(column.minimum))
    if column.maximum is not None:
        checks.append(pa.Check.le(column.maximum))
    if column.categories:
        checks.append(pa.Check.isin(column.categories))
    return checks


def validate(spec: ModelSpec, parsed: Parsed) -> Validated:
    """Part the rows of `parsed` into those that fit `spec` and those that do not, with what was expected instead."""
    cells = [
        [read_cell(column, row.values[column.name], text=parsed.text) for column in spec.columns] for row in parsed.rows
    ]
    wrong = _failures(spec, cells)
    rows: list[ValidRow] = []
    rejections = list(parsed.rejections)
    for position, (row, values) in enumerate(zip(parsed.rows, cells, strict=True)):
        if position in wrong:
            rejections.append(_rejection(spec, row, wrong[position]))
        else:
            kept = tuple(value for value in values if not isinstance(value, Invalid))
            rows.append(ValidRow(line=row.line, values=kept, raw=row.raw))
    return Validated(rows=tuple(rows), rejections=tuple(sorted(rejections, key=lambda rejection: rejection.line)))


def _failures(spec: ModelSpec, cells: list[list[Cell]]) -> dict[int, set[str]]:
    """The columns at fault, by the position of the row."""
    wrong: dict[int, set[str]] = {}
    series: dict[str, pd.Series[float] | pd.Series[int] | pd.Series[str]] = {}
    for index, column in enumerate(spec.columns):
        values = [row[index] for row in cells]
        for position, value in enumerate(values):
            if value is Invalid.TYPE:
                wrong.setdefault(position, set()).add(column.name)
        known = [None if isinstance(value, Invalid) else value for value in values]
        series[column.name] = pd.Series(known, dtype=_DTYPES[column.type])
    try:
        schema_for(spec).validate(pd.DataFrame(series), lazy=True)
    except SchemaErrors as errors:
        cases = cast("pd.DataFrame", errors.failure_cases)
        for name, position in zip(cases["column"], cases["index"], strict=True):
            wrong.setdefault(int(position), set()).add(str(name))
    return wrong


def _rejection(spec: ModelSpec, row: Row, names: set[str]) -> Rejection:
    fields = tuple(column.name for column in spec.columns if column.name in names)
    parts = (f"{name}: expected {spec.column(name).expectation}, got {_shown(row.values[name])}" for name in fields)
    return Rejection(line=row.line, fields=fields, reason="; ".join(parts), raw=row.raw)


def _shown(value: object) -> str:
    if value is None or value == "":
        return "nothing"
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"
