"""JSON lines: one object per line, UTF-8. A nullable column may be left out; any other name must be a column."""

import json
from typing import Any, cast

from lake.csv_source import decode
from lake.parsed import Parsed, Rejection, Row, name_problems, needed_names, refused
from models.spec import ModelSpec


class _RepeatedNameError(ValueError):
    """A JSON object that gives one name twice, of which Python would silently keep the last."""


def parse_json_lines(spec: ModelSpec, body: bytes, optional: frozenset[str] = frozenset()) -> Parsed:
    """The rows of a JSON-lines object, each with `optional` columns or without.

    Blank lines are passed over, a line that is no row is refused by itself.
    """
    text = decode(body, expected="JSON lines")
    if isinstance(text, Parsed):
        return text
    if text.lstrip().startswith("["):
        return refused(body, "a JSON array, expected JSON lines: one object per line, no brackets around them")
    rows: list[Row] = []
    rejections: list[Rejection] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            result = _row(spec, number, line.removesuffix("\r"), optional)
            rows.append(result) if isinstance(result, Row) else rejections.append(result)
    if not rows and not rejections:
        return refused(body, "an empty object, expected at least one JSON object on a line")
    return Parsed(rows=tuple(rows), rejections=tuple(rejections))


def _row(spec: ModelSpec, number: int, line: str, optional: frozenset[str]) -> Row | Rejection:
    nullable = frozenset(column.name for column in spec.columns if column.nullable)
    try:
        value: object = json.loads(line, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        return Rejection(line=number, fields=(), reason=f"no JSON ({error}), expected one object", raw=line)
    if not isinstance(value, dict):
        return Rejection(line=number, fields=(), reason=f"a JSON {_kind(value)}, expected one object", raw=line)
    values = cast("dict[str, object]", value)
    if problems := name_problems(spec, values, optional=nullable | optional):
        names = ", ".join(needed_names(spec, optional))
        reason = f"{'; '.join(problems.values())}; expected the fields {names}"
        return Rejection(line=number, fields=tuple(problems), reason=reason, raw=line)
    return Row(line=number, values={column.name: values.get(column.name) for column in spec.columns}, raw=line)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        raise _RepeatedNameError(f"{next(name for name in names if names.count(name) > 1)!r} is given twice")
    return values


def _kind(value: object) -> str:
    return "array" if isinstance(value, list) else "null" if value is None else type(value).__name__
