"""The table of a model's predictions: one row per row that was predicted, by release, source and version.

A row is known by where it came from and who predicted it, so that predicting the same again adds nothing. A run of
predictions is one commit: either all of it is in the table or none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import pyarrow as pa
from pyiceberg.expressions import And, BooleanExpression, EqualTo, In
from pyiceberg.table import Table

from lake.append import append_missing
from lake.schemas import PREDICTION, arrow_schema, predictions_schema
from models.spec import ModelSpec

Place = tuple[str, str, int]
"""Source, version and row."""


@dataclass(frozen=True, kw_only=True)
class Predicted:
    """One row that was predicted: its key values in the order of `spec.key`, and where it stood.

    `source` is a table or an object, `version` its snapshot id or ETag, `row` its number there, from 1.
    """

    source: str
    version: str
    row: int
    key: tuple[object, ...]
    prediction: float

    @property
    def place(self) -> Place:
        """What it is known by, besides the release."""
        return self.source, self.version, self.row


def known_places(table: Table, release: str, sources: Sequence[str]) -> frozenset[Place]:
    """The rows of `sources` that `release` has predicted already."""
    if table.current_snapshot() is None or not sources:
        return frozenset()
    of_release: BooleanExpression = EqualTo("_release", release)  # pyright: ignore[reportCallIssue] - pydantic
    of_sources: BooleanExpression = In("_source", set(sources))  # pyright: ignore[reportCallIssue] - pydantic
    scan = table.scan(row_filter=And(of_release, of_sources), selected_fields=("_source", "_version", "_row"))
    found = scan.to_arrow()
    columns = [cast("list[object]", found.column(name).to_pylist()) for name in ("_source", "_version", "_row")]
    return frozenset(cast("Place", place) for place in zip(*columns, strict=True))


def append_predictions(
    table: Table, spec: ModelSpec, rows: Sequence[Predicted], *, release: str, job: str, at: datetime
) -> int:
    """Append those of `rows` that `release` has not predicted yet, in one commit; returns how many.

    LakeBusyError when other writers came first each time.
    """
    sources = sorted({row.source for row in rows})
    added = 0

    def missing(current: Table) -> pa.Table:
        nonlocal added
        known = known_places(current, release, sources)
        chosen = [row for row in rows if row.place not in known]
        added = len(chosen)
        return _arrow(spec, chosen, release=release, job=job, at=at)

    append_missing(table, missing)
    return added


def _arrow(spec: ModelSpec, rows: Sequence[Predicted], *, release: str, job: str, at: datetime) -> pa.Table:
    schema = arrow_schema(predictions_schema(spec))
    columns: dict[str, list[object]] = {name: [row.key[at_] for row in rows] for at_, name in enumerate(spec.key)}
    columns |= {
        PREDICTION: [row.prediction for row in rows],
        "_release": [release for _ in rows],
        "_source": [row.source for row in rows],
        "_version": [row.version for row in rows],
        "_row": [row.row for row in rows],
        "_job": [job for _ in rows],
        "_predicted_at": [at for _ in rows],
    }
    return pa.Table.from_pydict({name: columns[name] for name in schema.names}, schema)
