"""Appending against other writers."""

import pyarrow as pa
import pytest

from lake.append import append_missing
from lake.errors import LakeBusyError
from lake.schemas import arrow_schema, quarantine_schema

# Against a whole lake on a moto server; test_ingest.py is the fast one of these.
pytestmark = pytest.mark.slow


def line(number: int) -> dict[str, object]:
    return {"object": "s3://b/a.csv", "line": number}


def rows_of(*lines: int) -> pa.Table:
    return pa.Table.from_pylist([line(number) for number in lines], schema=arrow_schema(quarantine_schema()))


def lines_in(table) -> list[int]:
    return sorted(table.scan().to_arrow().column("line").to_pylist())


@pytest.fixture(autouse=True)
def waits(monkeypatch):
    found = []
    monkeypatch.setattr("lake.append.time.sleep", found.append)
    return found


def test_nothing_to_add_commits_nothing(place):
    table = append_missing(place.lake.quarantine(place.spec), lambda _: rows_of())

    assert table.current_snapshot() is None


def test_when_another_writer_comes_first_the_rows_are_chosen_anew(place, waits):
    table = place.lake.quarantine(place.spec)
    other = iter([1])
    chosen = []

    def choose(current):
        held = set(lines_in(current))
        chosen.append(sorted({1, 2} - held))
        for number in other:
            place.lake.quarantine(place.spec).append(rows_of(number))
        return rows_of(*chosen[-1])

    result = append_missing(table, choose)

    assert chosen == [[1, 2], [2]]
    assert lines_in(result) == lines_in(place.lake.quarantine(place.spec)) == [1, 2]
    assert len(waits) == 1
    assert 0 < waits[0] <= 0.05


def test_a_table_that_never_rests_is_given_up_and_nothing_is_lost(place, waits):
    def choose(current):
        others = len(lines_in(current))
        place.lake.quarantine(place.spec).append(rows_of(others))
        return rows_of(100)

    with pytest.raises(
        LakeBusyError, match=r"changed quarantine_\d+.auto_mpg during each of 3 attempts; nothing was lost"
    ):
        append_missing(place.lake.quarantine(place.spec), choose, attempts=3)

    assert lines_in(place.lake.quarantine(place.spec)) == [0, 1, 2]
    assert max(waits) <= 2.0
