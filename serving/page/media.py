"""The media types of `/invocations` as OpenAPI describes them, one entry for each that the codec knows."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from models.spec import ModelSpec
from monitoring.baseline import Value
from serving.core import codec
from serving.core.codec.media import ARROW, ARROW_FILE, JPEG, NPY, PNG, TENSOR
from serving.page.schemas import reference, wrappers

_NUMBERS: Final = "a category is its position in the list of them, from 0, and NaN is null"
_OF_ROWS: Final = {
    codec.JSON: "Objects by field name, or arrays in the order of the fields.",
    codec.CSV: (
        "One row a line (RFC 4180), in the order of the fields, or in any order under a header line that names them. "
        "An empty cell is null."
    ),
    ARROW: "Arrow IPC stream: a column a field, by name; categories as text.",
    ARROW_FILE: "Arrow IPC file: a column a field, by name; categories as text.",
    NPY: f"numpy's file format, an array [rows, fields] of numbers: {_NUMBERS}.",
    TENSOR: f"float32, little-endian, row by row in the order of the fields: {_NUMBERS}.",
}
_OF_IMAGES: Final = {
    PNG: "One picture of any size; it is made as small or large as the model sees it.",
    JPEG: "One picture of any size; it is made as small or large as the model sees it.",
    NPY: "numpy's file format, a float array [images, channels, height, width] from 0 to 1.",
    TENSOR: "float32 from 0 to 1, little-endian, image by image: channels × height × width.",
}
Rows = Sequence[Mapping[str, Value]]
Media = dict[str, Any]


def requests(spec: ModelSpec, examples: Rows) -> dict[str, Media]:
    """What may be sent, by media type."""
    return {kind: _TEXTS.get(kind, _bytes)(spec, examples) for kind in codec.request_types(spec)}


def described(spec: ModelSpec) -> dict[str, str]:
    """What a body of each media type is, in words."""
    known = _OF_IMAGES if spec.image else _OF_ROWS
    return {kind: known[kind] for kind in codec.request_types(spec)}


def answers(spec: ModelSpec) -> dict[str, Media]:
    """What may be answered, by media type."""
    encoding = codec.LabelEncoding if spec.target_column.categories else codec.Encoding
    return {kind: _ANSWERS.get(kind, {}) for kind in encoding.types}


def _json(spec: ModelSpec, examples: Rows) -> Media:
    kinds = ["Row", "Rows", "RowInOrder", *(f"Wrapped{name.capitalize()}" for name in wrappers(spec))]
    media: Media = {"schema": {"anyOf": [reference(kind) for kind in kinds]}}
    if examples:
        row = examples[0]
        order = list(row.values())
        media["examples"] = {
            "row": {"summary": "One row by field name", "value": row},
            "rows": {"summary": "Several rows", "value": list(examples)},
            "inOrder": {"summary": "Rows as arrays, in the order of the fields", "value": [order]},
            **{name: {"summary": f"Rows under a key `{name}`", "value": {name: [row]}} for name in wrappers(spec)},
        }
    return media


def _csv(spec: ModelSpec, examples: Rows) -> Media:
    media: Media = {"schema": {"type": "string", "description": _OF_ROWS[codec.CSV]}}
    if examples:
        values = [[row[name] for name in spec.features] for row in examples[:2]]
        media["examples"] = {
            "withHeader": {"summary": "With a header", "value": _lines([list(spec.features), *values])},
            "withoutHeader": {"summary": "In the order of the fields", "value": _lines(values)},
        }
    return media


def _lines(rows: Sequence[Sequence[Value]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _bytes(spec: ModelSpec, examples: Rows) -> Media:
    """A body of bytes, which OpenAPI 3.1 gives no schema."""
    del spec, examples
    return {}


_TEXTS: Final[Mapping[str, Callable[[ModelSpec, Rows], Media]]] = {codec.JSON: _json, codec.CSV: _csv}
_ANSWERS: Final[Mapping[str, Media]] = {
    codec.JSON: {"schema": reference("Predictions")},
    codec.CSV: {"schema": {"type": "string", "description": "One prediction a line, in the order of the rows."}},
}
