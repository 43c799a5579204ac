"""Which rows of a batch are new to the table, which it has already, and which contradict it.

A key has one row for good. The same key with the same values adds nothing, wherever it comes from; with other values it
is refused, and the first one stays. Within a batch the order of the rows decides.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pyiceberg.table import Table

from lake.filters import in_ranges
from lake.objects import LandedObject
from lake.parsed import Rejection
from lake.validation import ValidRow
from models.spec import ModelSpec

Key = tuple[object, ...]


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A valid row with the object it came from."""

    origin: LandedObject
    row: ValidRow


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A rejection with the object it came from."""

    origin: LandedObject
    rejection: Rejection


@dataclass(frozen=True, kw_only=True)
class Known:
    """The row that a key has: its values in the order of `spec.columns`, and where it came from."""

    values: tuple[object, ...]
    place: str


@dataclass(kw_only=True)
class Merge:
    """A batch held against the table: every candidate is in one of the three."""

    added: list[Candidate] = field(default_factory=list[Candidate])
    unchanged: list[Candidate] = field(default_factory=list[Candidate])
    conflicts: list[Refusal] = field(default_factory=list[Refusal])


def merge(spec: ModelSpec, candidates: Iterable[Candidate], known: Mapping[Key, Known]) -> Merge:
    """Hold `candidates`, in their order, against the rows that the table has by key."""
    result = Merge()
    seen = dict(known)
    for candidate in candidates:
        key = key_of(spec, candidate.row.values)
        first = seen.get(key)
        if first is None:
            seen[key] = Known(values=candidate.row.values, place=f"{candidate.origin.uri} line {candidate.row.line}")
            result.added.append(candidate)
        elif first.values == candidate.row.values:
            result.unchanged.append(candidate)
        else:
            rejection = _contradiction(spec, key, first, candidate.row)
            result.conflicts.append(Refusal(origin=candidate.origin, rejection=rejection))
    return result


def key_of(spec: ModelSpec, values: tuple[object, ...]) -> Key:
    """The key columns of a row given in the order of `spec.columns`."""
    positions = {column.name: position for position, column in enumerate(spec.columns)}
    return tuple(values[positions[name]] for name in spec.key)


def _contradiction(spec: ModelSpec, key: Key, first: Known, row: ValidRow) -> Rejection:
    different = {
        column.name: (then, now)
        for column, then, now in zip(spec.columns, first.values, row.values, strict=True)
        if then != now
    }
    named = ", ".join(f"{name}={value!r}" for name, value in zip(spec.key, key, strict=True))
    changes = "; ".join(f"{name}: expected {then!r} as before, got {now!r}" for name, (then, now) in different.items())
    reason = f"{changes}; duplicate key {named}, first seen in {first.place}"
    return Rejection(line=row.line, fields=tuple(different), reason=reason, raw=row.raw)


def known_rows(spec: ModelSpec, table: Table, candidates: list[Candidate]) -> dict[Key, Known]:
    """The rows of `table` whose key lies in the range of the candidates' keys (Iceberg skips files outside it)."""
    if not candidates or table.current_snapshot() is None:
        return {}
    names = [column.name for column in spec.columns]
    keys = [key_of(spec, candidate.row.values) for candidate in candidates]
    ranges = in_ranges(dict(zip(spec.key, zip(*keys, strict=True), strict=True)))
    scan = table.scan(row_filter=ranges, selected_fields=(*names, "_object", "_line")).to_arrow()
    found: dict[Key, Known] = {}
    for row in scan.to_pylist():
        values = tuple(row[name] for name in names)
        found[key_of(spec, values)] = Known(values=values, place=f"{row['_object']} line {row['_line']}")
    return found
