"""From an object's bytes to rows: the format is told by the key's extension."""

from collections.abc import Callable
from pathlib import PurePosixPath

from lake.csv_source import parse_csv
from lake.json_source import parse_json_lines
from lake.parquet_source import parse_parquet
from lake.parsed import Parsed, refused
from models.spec import ModelSpec

Parser = Callable[[ModelSpec, bytes, frozenset[str]], Parsed]
PARSERS: dict[str, Parser] = {
    ".csv": parse_csv,
    ".jsonl": parse_json_lines,
    ".ndjson": parse_json_lines,
    ".parquet": parse_parquet,
}
# Everything is held in memory at once; the machine of the smallest Glue worker has 16 GB.
MAXIMUM_BYTES = 512 * 1024 * 1024


def parse(spec: ModelSpec, key: str, body: bytes, optional: frozenset[str] = frozenset()) -> Parsed:
    """The rows of the object `key`; what is wrong with it is in the result, never raised.

    Columns that are `optional` may be there or not, and their values are not in every row then.
    """
    suffix = PurePosixPath(key).suffix.lower()
    if suffix not in PARSERS:
        known = ", ".join(PARSERS)
        return refused(body, f"unknown extension {suffix!r}, expected one of {known}")
    if not body:
        return refused(body, "an empty object, expected at least one row")
    if len(body) > MAXIMUM_BYTES:
        return refused(body, f"{len(body)} bytes, expected at most {MAXIMUM_BYTES}; send it in parts")
    return PARSERS[suffix](spec, body, optional)
