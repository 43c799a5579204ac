"""JSON schemas of a request's rows and of the answers, made from the specification.

They say exactly what validation takes, no more and no less: whatever fits a schema is answered with 200, whatever does
not with a 4xx. tests/serving/page/test_schemathesis.py holds a running server to that.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from models.schema import Column
from models.spec import ModelSpec
from serving.core.validation import FLOAT32_MAX

Schema = dict[str, Any]
WRAPPERS: Final = ("rows", "instances")


def reference(name: str) -> Schema:
    """A reference to a schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def schemas(spec: ModelSpec, examples: Sequence[Mapping[str, object]]) -> dict[str, Schema]:
    """Every named schema of the document."""
    rows: dict[str, Schema] = {}
    if not spec.image:
        rows = {
            "Row": _row(spec, examples),
            "RowInOrder": _row_in_order(spec, examples),
            "Rows": _rows(spec),
            **{f"Wrapped{name.capitalize()}": _wrapped(name) for name in wrappers(spec)},
        }
    return {
        **rows,
        "Predictions": _predictions(spec),
        "Error": _error(),
        "Ready": _closed({"status": {"const": "ready"}}),
    }


def wrappers(spec: ModelSpec) -> Iterable[str]:
    """The keys that may hold the rows; a model with a field of that name gives it up."""
    return [name for name in WRAPPERS if name not in spec.features]


def field(column: Column) -> Schema:
    """What one field takes."""
    described = column.description or column.name.replace("_", " ")
    schema: Schema = {"description": f"{described}, in {column.unit}" if column.unit else described}
    if column.type == "category":
        schema |= {"type": "string", "enum": list(column.categories)}
    else:
        schema |= {
            "type": "integer" if column.type == "integer" else "number",
            "minimum": -FLOAT32_MAX if column.minimum is None else column.minimum,
            "maximum": FLOAT32_MAX if column.maximum is None else column.maximum,
        }
    if column.nullable:
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"].append(None)
    if column.unit:
        schema["x-unit"] = column.unit
    return schema


def _row(spec: ModelSpec, examples: Sequence[Mapping[str, object]]) -> Schema:
    fields = {column.name: field(column) for column in spec.feature_columns}
    return _closed(fields) | {"description": "A row by field name.", "examples": list(examples)}


def _row_in_order(spec: ModelSpec, examples: Sequence[Mapping[str, object]]) -> Schema:
    count = len(spec.features)
    return {
        "description": f"A row as an array, in this order: {', '.join(spec.features)}.",
        "type": "array",
        "prefixItems": [{"title": column.name, **field(column)} for column in spec.feature_columns],
        "items": False,
        "minItems": count,
        "maxItems": count,
        "examples": [[row[name] for name in spec.features] for row in examples],
    }


def _rows(spec: ModelSpec) -> Schema:
    def several(kind: str) -> Schema:
        return {"type": "array", "items": reference(kind), "minItems": 1, "maxItems": spec.serving.max_rows}

    return {
        "description": f"1 to {spec.serving.max_rows} rows, all of the same kind.",
        "anyOf": [several("Row"), several("RowInOrder")],
    }


def _wrapped(name: str) -> Schema:
    several: Schema = {"anyOf": [reference("Rows"), reference("RowInOrder")]}
    return _closed({name: several}) | {"description": f"Rows under the key `{name}`."}


def _predictions(spec: ModelSpec) -> Schema:
    unit, labels = spec.target_column.unit, list(spec.target_column.categories)

    def each(items: Schema, description: str) -> Schema:
        most = spec.serving.max_rows
        return {"description": description, "type": "array", "items": items, "minItems": 1, "maxItems": most}

    if labels:
        shares = {"type": "array", "items": {"type": "number"}, "minItems": len(labels), "maxItems": len(labels)}
        answers = {
            "predictions": each({"type": "string", "enum": labels}, "The likeliest label of each row."),
            "probabilities": each(shares, "How likely each label is, in the order of `labels`."),
            "labels": {"const": labels},
        }
    else:
        shown = f" in {unit}" if unit else ""
        described = f"One number a row{shown}, in the order sent; never NaN or Infinity."
        answers = {"predictions": each({"type": "number"}, described)}
    schema = _closed(
        {
            **answers,
            "model": {"const": spec.name},
            "target": {"const": spec.target},
            "unit": {"const": unit},
            "release": {"type": "string", "description": "The release that answered; empty where it has no name."},
        }
    )
    variant = {"type": "string", "description": "The variant that answered, where there are several."}
    return schema | {"properties": schema["properties"] | {"variant": variant}}


def _error() -> Schema:
    return _closed(
        {
            "error": _closed(
                {
                    "code": {"type": "string", "description": "A stable word for programs."},
                    "message": {"type": "string", "description": "For people: the place and what would be right."},
                    "field": {"type": ["string", "null"], "description": "The field at fault, if one is."},
                    "row": {"type": ["integer", "null"], "minimum": 0, "description": "Its row, counted from 0."},
                }
            )
        }
    )


def _closed(properties: Schema) -> Schema:
    """An object with exactly these properties."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
