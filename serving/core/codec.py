"""Bytes to rows and predictions to bytes: one table of decoders and one of encoders, by media type.

Nothing here knows the model beyond the names and types of its fields; what a value may be is validation's to say. JSON
is parsed by orjson, which refuses NaN and Infinity as bad syntax. Since Python's own json module writes them, such a
body is parsed a second time with the standard library, only to name the row and the field.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, cast

import orjson

from models.spec import ModelSpec
from serving.core.errors import RequestError
from serving.core.session import Matrix

JSON, CSV = "application/json", "text/csv"
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)
_WRAPPERS = ("rows", "instances")

Decoder = Callable[[bytes, ModelSpec], Sequence[object]]


def decode(body: bytes, content_type: str, spec: ModelSpec) -> Sequence[object]:
    """The rows in `body`, each an object by name or a list in the order of the features; not validated yet.

    RequestError with status 415 for a media type or charset that is not supported, 400 for a body that is not it.
    """
    media_type, _, parameters = content_type.partition(";")
    decoder = DECODERS.get(media_type.strip().lower())
    if decoder is None:
        shown = f"Content-Type {content_type!r}" if content_type else "no Content-Type"
        message = f"{shown} was sent; expected {' or '.join(DECODERS)}"
        raise RequestError("unsupported_content_type", message, status=415)
    charset = re.search(r"charset\s*=\s*\"?([^\";\s]+)", parameters, re.IGNORECASE)
    if charset and charset[1].lower() not in {"utf-8", "utf8", "us-ascii"}:
        message = f"charset {charset[1]!r} is not supported; expected utf-8"
        raise RequestError("unsupported_content_type", message, status=415)
    return decoder(body.removeprefix(b"\xef\xbb\xbf"), spec)


def _decode_json(body: bytes, spec: ModelSpec) -> Sequence[object]:
    if not body.strip():
        raise RequestError("no_rows", f"the body is empty; expected {_JSON_FORMS}")
    document = _parse_json(body)
    if isinstance(document, Mapping):
        named = cast("Mapping[str, object]", document)
        wrapper = next((name for name in _WRAPPERS if name in named and name not in spec.features), None)
        if wrapper is None:
            return [named]
        if len(named) > 1:
            extra = next(name for name in named if name != wrapper)
            raise RequestError("extra_field", f"unexpected key beside {wrapper!r}; expected it alone", field=extra)
        document = named[wrapper]
        if not isinstance(document, list):
            raise RequestError("wrong_type", f"{wrapper!r} must hold a list of rows")
    if not isinstance(document, list):
        raise RequestError("wrong_type", f"expected {_JSON_FORMS}")
    rows = cast("list[object]", document)
    if rows and not any(isinstance(row, list | Mapping) for row in rows):
        return [rows]
    return rows


_JSON_FORMS: Final = 'an object by field name, a list of them, {"rows": […]}, or arrays in the order of the fields'


def _parse_json(body: bytes) -> object:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if b"NaN" in body or b"Infinity" in body:
            return _parse_lenient(body, error)
        raise RequestError("malformed_json", f"the body is no valid JSON: {error}") from error


def _parse_lenient(body: bytes, error: orjson.JSONDecodeError) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise RequestError("malformed_json", f"the body is no valid JSON: {error}") from error


def _decode_csv(body: bytes, spec: ModelSpec) -> Sequence[object]:
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        message = f"the body is not UTF-8 text: {error.reason} at byte {error.start}"
        raise RequestError("malformed_csv", message) from error
    try:
        lines = [line for line in csv.reader(io.StringIO(text, newline=""), strict=True) if line]
    except csv.Error as error:
        raise RequestError("malformed_csv", f"the body is no valid CSV: {error}") from error
    if lines and _is_header(lines[0], spec):
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


def _is_header(line: Sequence[str], spec: ModelSpec) -> bool:
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
        return float(cell)
    return cell


DECODERS: Final[Mapping[str, Decoder]] = {JSON: _decode_json, CSV: _decode_csv}


def answer_type(accept: str) -> str:
    """The media type to answer in, by the Accept header (order counts, q does not); RequestError 406 for others."""
    wanted = [part.split(";")[0].strip().lower() for part in accept.split(",")] if accept.strip() else ["*/*"]
    for media_type in wanted:
        if media_type in {"*/*", "application/*", JSON}:
            return JSON
        if media_type in {"text/*", CSV}:
            return CSV
    raise RequestError("not_acceptable", f"Accept {accept!r} was sent; expected {JSON} or {CSV}", status=406)


def encode_json(predictions: Matrix, about: Mapping[str, str]) -> bytes:
    """`{"predictions": […], …}`; float32 in its shortest spelling that reads back the same."""
    return orjson.dumps({"predictions": predictions, **about}, option=orjson.OPT_SERIALIZE_NUMPY)


def encode_csv(predictions: Matrix) -> bytes:
    """One number a line."""
    return "".join(f"{value!s}\n" for value in predictions).encode()


def encode_error(error: RequestError) -> bytes:
    """The error answer, always JSON."""
    return orjson.dumps(error.document())
