"""Parquet: one row group or many, exactly the columns of the specification, in any order."""

import json

import pyarrow as pa
import pyarrow.parquet as pq

from lake.parsed import Parsed, Row, name_problems, needed_names, refused
from models.spec import ModelSpec


def parse_parquet(spec: ModelSpec, body: bytes, optional: frozenset[str] = frozenset()) -> Parsed:
    """The rows of a Parquet object, where `optional` columns may lack; the line of a row is its number, from 1."""
    try:
        file = pq.ParquetFile(pa.BufferReader(body))
        names = list(file.schema_arrow.names)
        if problems := name_problems(spec, names, optional=optional):
            expected = ", ".join(needed_names(spec, optional))
            reason = f"columns: {'; '.join(problems.values())}; expected {expected}"
            return refused(body, reason, tuple(problems))
        table: pa.Table = file.read()  # pyright: ignore[reportUnknownMemberType] the stubs are not complete
        records = table.to_pylist()
    # Arrow reports damaged files as its own errors, as OSError, and where a page is damaged as UnicodeDecodeError.
    except (pa.ArrowException, OSError, ValueError) as error:
        detail = str(error).splitlines()[0] if str(error) else type(error).__name__
        return refused(body, f"not readable as Parquet ({detail}), expected a complete Parquet file")
    if not records:
        return refused(body, "a Parquet file without rows, expected at least one row")
    return Parsed(
        rows=tuple(
            Row(line=number, values=record, raw=json.dumps(record, default=str, ensure_ascii=False))
            for number, record in enumerate(records, start=1)
        )
    )
