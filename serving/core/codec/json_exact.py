"""JSON to rows, the exact way: whatever the fast way refuses comes here, to be accepted after all or refused in words.

orjson refuses NaN and Infinity as bad syntax. Since Python's own json module writes them, such a body is parsed a
second time with the standard library, only to name the row and the field.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Final, cast

import orjson

from serving.core.errors import RequestError

_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")
WRAPPERS: Final = ("rows", "instances")
_FORMS: Final = 'an object by field name, a list of them, {"rows": […]}, or arrays in the order of the fields'


def json_rows(body: bytes, features: Sequence[str]) -> Sequence[object]:
    """The rows in `body`, each an object by name or a list in the order of `features`; not validated yet."""
    if not body.strip():
        raise RequestError("no_rows", f"the body is empty; expected {_FORMS}")
    document = _parse(body)
    if isinstance(document, Mapping):
        named = cast("Mapping[str, object]", document)
        wrapper = next((name for name in WRAPPERS if name in named and name not in features), None)
        if wrapper is None:
            return [named]
        if len(named) > 1:
            extra = next(name for name in named if name != wrapper)
            raise RequestError("extra_field", f"unexpected key beside {wrapper!r}; expected it alone", field=extra)
        document = named[wrapper]
        if not isinstance(document, list):
            raise RequestError("wrong_type", f"{wrapper!r} must hold a list of rows")
    if not isinstance(document, list):
        raise RequestError("wrong_type", f"expected {_FORMS}")
    rows = cast("list[object]", document)
    # Half a million numbers are asked for their types at once: one by one that took 20 times as long.
    if rows and {list, dict}.isdisjoint(map(type, rows)):
        return [rows]
    return rows


def _parse(body: bytes) -> object:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if b"NaN" in body or b"Infinity" in body:
            return _parse_lenient(body, error)
        raise RequestError("malformed_json", f"the body is no valid JSON: {error}") from error


def _parse_lenient(body: bytes, error: orjson.JSONDecodeError) -> object:
    try:
        document = json.loads(body.decode())
        if _SURROGATE.search(body):
            # orjson refuses half a pair, which is no text; json lets it through. Encoding finds it.
            json.dumps(document, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise RequestError("malformed_json", f"the body is no valid JSON: {error}") from error
    return document
