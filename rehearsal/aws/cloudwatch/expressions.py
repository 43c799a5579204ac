"""Metric math as far as alarms use it, evaluated for one period at a time.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html. A metric without data in the
period makes the whole result missing, unless FILL gives it a value. What is not known here is an error, not a guess.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Final

Value = float | None
_OPERATORS: Final[Mapping[type[ast.operator], Callable[[float, float], float]]] = {
    ast.Add: lambda left, right: left + right,
    ast.Sub: lambda left, right: left - right,
    ast.Mult: lambda left, right: left * right,
    ast.Div: lambda left, right: left / right,
    ast.Pow: lambda left, right: left**right,
}
_COMPARISONS: Final[Mapping[type[ast.cmpop], Callable[[float, float], bool]]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


class ExpressionError(ValueError):
    """An expression that cannot be read, or that asks for more than is computed here."""


def evaluate(expression: str, values: Mapping[str, Value]) -> Value:
    """The expression over the metrics' values of one period, by their ids; None when it has no result there."""
    try:
        tree = ast.parse(expression.replace("&&", " and ").replace("||", " or "), mode="eval")
    except SyntaxError as error:
        raise ExpressionError(f"{expression!r} is no metric math: {error.msg}") from error
    return _value(tree.body, values)


def _value(node: ast.expr, values: Mapping[str, Value]) -> Value:
    found: Value
    match node:
        case ast.Constant(value=int() | float() as number):
            found = float(number)
        case ast.Name(id=name) if name in values:
            found = values[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            found = _combined(_OPERATORS[ast.Sub], 0.0, _value(operand, values))
        case ast.BinOp(left=left, op=kind, right=right) if type(kind) in _OPERATORS:
            found = _combined(_OPERATORS[type(kind)], _value(left, values), _value(right, values))
        case ast.Compare(left=left, ops=[kind], comparators=[right]) if type(kind) in _COMPARISONS:
            found = _combined(_COMPARISONS[type(kind)], _value(left, values), _value(right, values))
        case ast.BoolOp(op=kind, values=operands):
            found = _joined(kind, [_value(operand, values) for operand in operands])
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            found = _call(name.upper(), [_value(argument, values) for argument in arguments])
        case _:
            known = ", ".join(values) or "none"
            raise ExpressionError(f"{ast.unparse(node)!r} is not computed here; metrics are: {known}")
    return found


def _joined(kind: ast.boolop, operands: list[Value]) -> Value:
    if None in operands:
        return None
    return float(all(operands) if isinstance(kind, ast.And) else any(operands))


def _combined(function: Callable[[float, float], float], left: Value, right: Value) -> Value:
    if left is None or right is None:
        return None
    try:
        return float(function(left, right))
    except (ZeroDivisionError, OverflowError):
        return None


def _call(name: str, arguments: list[Value]) -> Value:
    known = [value for value in arguments if value is not None]
    match name, arguments:
        case "IF", [condition, then, otherwise]:
            return None if condition is None else (then if condition else otherwise)
        case "FILL", [value, filling]:
            return filling if value is None else value
        case "ABS", [value]:
            return None if value is None else abs(value)
        case (("MIN" | "MAX" | "SUM"), [_, *_]):
            return {"MIN": min, "MAX": max, "SUM": sum}[name](known) if known else None
        case _:
            raise ExpressionError(f"{name} of {len(arguments)} arguments is not computed here")
