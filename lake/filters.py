"""The row filters that the lake uses; Iceberg passes over the files whose statistics rule them out."""

from collections.abc import Sequence
from typing import Any

from pyiceberg.expressions import AlwaysTrue, And, BooleanExpression, GreaterThanOrEqual, In, LessThanOrEqual

# pyiceberg's predicates take their two arguments by position; their type information says otherwise.
# pyright: reportCallIssue=false


def in_values(name: str, values: Sequence[Any]) -> BooleanExpression:
    """Rows whose column `name` holds one of `values`."""
    return In(name, values)


def in_ranges(columns: dict[str, Sequence[Any]]) -> BooleanExpression:
    """Rows whose columns each lie between the least and the greatest of the values given for them."""
    expression: BooleanExpression = AlwaysTrue()
    for name, values in columns.items():
        expression = And(expression, And(GreaterThanOrEqual(name, min(values)), LessThanOrEqual(name, max(values))))
    return expression
