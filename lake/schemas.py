"""The columns of the three tables, and how a row says where it came from.

Every column may be null as far as Iceberg is concerned: a column that a later specification adds has no value in the
rows before it. What may be missing today is the specification's say, held by the validation.
"""

import pyarrow as pa
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.schema import Schema
from pyiceberg.types import DoubleType, LongType, NestedField, PrimitiveType, StringType, TimestamptzType

from models.spec import ModelSpec

_TYPES: dict[str, PrimitiveType] = {
    "float": DoubleType(),
    "integer": LongType(),
    "string": StringType(),
    "category": StringType(),
}
_PROVENANCE: tuple[tuple[str, PrimitiveType, str], ...] = (
    ("_object", StringType(), "the landed object the row came from"),
    ("_etag", StringType(), "the content of that object"),
    ("_line", LongType(), "the line the row begins on, from 1; of a Parquet object, its number"),
    ("_ingested_at", TimestamptzType(), "when the row was ingested"),
)
_QUARANTINE: tuple[tuple[str, PrimitiveType, str], ...] = (
    ("object", StringType(), "the landed object"),
    ("etag", StringType(), "the content of that object"),
    ("line", LongType(), "the line the row begins on, from 1; 0 for the object as a whole"),
    ("reason", StringType(), "what was expected and what was found"),
    ("fields", StringType(), "the columns at fault, separated by commas"),
    ("raw", StringType(), "the row as it stood in the object; of a whole object, its beginning"),
    ("ingested_at", TimestamptzType(), "when the row was refused"),
)

PREDICTION = "prediction"
_PREDICTED: tuple[tuple[str, PrimitiveType, str], ...] = (
    ("_release", StringType(), "the model package that predicted"),
    ("_source", StringType(), "the table or object that the row came from"),
    ("_version", StringType(), "the table's snapshot, or the object's ETag"),
    ("_row", LongType(), "the number of the row there, from 1"),
    ("_job", StringType(), "the transform job"),
    ("_predicted_at", TimestamptzType(), "when the job began"),
)


def curated_schema(spec: ModelSpec) -> Schema:
    """The columns of `spec` in its order, then `_object`, `_etag`, `_line` and `_ingested_at`."""
    declared = tuple(
        (
            column.name,
            _TYPES[column.type],
            f"{column.description} ({column.unit})" if column.unit else column.description,
        )
        for column in spec.columns
    )
    return _schema(declared + _PROVENANCE)


def quarantine_schema() -> Schema:
    """The same for every model: object, etag, line, reason, fields, raw, ingested_at."""
    return _schema(_QUARANTINE)


def predictions_schema(spec: ModelSpec) -> Schema:
    """The key columns of `spec`, the prediction in its target's unit, and who predicted it for which row."""
    target = spec.target_column
    words = f"predicted {target.name}" + (f" ({target.unit})" if target.unit else "")
    key = tuple((name, _TYPES[spec.column(name).type], spec.column(name).description) for name in spec.key)
    return _schema((*key, (PREDICTION, DoubleType(), words), *_PREDICTED))


def arrow_schema(schema: Schema) -> pa.Schema:
    """`schema` as Arrow holds it."""
    return schema_to_pyarrow(schema, include_field_ids=False)


def _schema(columns: tuple[tuple[str, PrimitiveType, str], ...]) -> Schema:
    return Schema(
        *(
            NestedField(field_id=number, name=name, field_type=kind, required=False, doc=doc or None)
            for number, (name, kind, doc) in enumerate(columns, start=1)
        )
    )
