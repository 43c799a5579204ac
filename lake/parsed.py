"""What a reader makes of one object: rows with the line they came from, and what it had to refuse."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from models.spec import ModelSpec

_RAW_CHARACTERS = 1000


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row as it came.

    `line` is where it begins (1 is the first line; of a Parquet file, the first row), `values` the cells by column
    name: text for CSV, what the format holds for JSON and Parquet. `raw` is the row as it stood in the object.
    """

    line: int
    values: Mapping[str, object]
    raw: str


@dataclass(frozen=True, kw_only=True)
class Rejection:
    """A row that is not right, or with `line` 0 a whole object: the fields at fault and what was expected."""

    line: int
    fields: tuple[str, ...]
    reason: str
    raw: str


@dataclass(frozen=True, kw_only=True)
class Parsed:
    """All rows of one object, in its order, and the rejections; a refused object has no rows.

    `text` says that the cells are text (CSV), of which numbers are to be read.
    """

    rows: tuple[Row, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    text: bool = False


def refused(body: bytes, reason: str, fields: tuple[str, ...] = ()) -> Parsed:
    """The whole object refused; its first characters are kept beside the reason."""
    raw = body[: 4 * _RAW_CHARACTERS].decode("utf-8", "backslashreplace").replace("\0", "\\x00")[:_RAW_CHARACTERS]
    return Parsed(rejections=(Rejection(line=0, fields=fields, reason=reason, raw=raw),))


def needed_names(spec: ModelSpec, optional: frozenset[str]) -> list[str]:
    """The columns to name where others were found, without those that may lack."""
    return [column.name for column in spec.columns if column.name not in optional]


def name_problems(spec: ModelSpec, found: Iterable[str], *, optional: frozenset[str] = frozenset()) -> dict[str, str]:
    """What is wrong with the column names `found`, by name: missing, unknown (with the likely name), given twice."""
    expected = [column.name for column in spec.columns]
    names = list(found)
    problems = {name: f"{name}: missing" for name in expected if name not in names and name not in optional}
    for name in names:
        if name not in expected:
            close = get_close_matches(name.lower(), expected, n=1)
            problems[name] = f"{name}: unknown" + (f", did you mean {close[0]}?" if close else "")
        elif names.count(name) > 1:
            problems[name] = f"{name}: given {names.count(name)} times"
    return problems
