"""Versions of the table."""

import pytest

from lake.errors import LakeError
from lake.snapshots import history, rows_at
from models.auto_mpg.source import fetch
from models.schema import Column

# Against a whole lake on a moto server; test_ingest.py is the fast one of these.
pytestmark = pytest.mark.slow


def test_an_older_version_gives_the_older_rows(place, car, csv_of):
    place.land("auto-mpg/cars.csv", fetch())
    old = place.ingest().snapshot_id
    place.land("auto-mpg/more.csv", csv_of(car | {"name": "newcomer"}))
    new = place.ingest().snapshot_id

    assert rows_at(place.lake, place.spec, old).num_rows == 398
    assert rows_at(place.lake, place.spec, new).num_rows == 399
    assert rows_at(place.lake, place.spec).equals(rows_at(place.lake, place.spec, new))
    assert "newcomer" not in rows_at(place.lake, place.spec, old).column("name").to_pylist()


def test_the_history_tells_what_each_version_added(place, car, csv_of):
    assert history(place.lake, place.spec) == ()
    ids = []
    for number in (2000, 3000):
        place.land(f"auto-mpg/{number}.csv", csv_of(car | {"weight": number}, car | {"weight": number + 1}))
        ids.append(place.ingest().snapshot_id)

    first, second = history(place.lake, place.spec)

    assert (first.snapshot_id, second.snapshot_id) == tuple(ids)
    assert (first.parent_id, second.parent_id) == (None, ids[0])
    assert (first.rows_added, first.rows, second.rows_added, second.rows) == (2, 2, 2, 4)
    assert first.committed_at.tzinfo is not None
    assert first.committed_at <= second.committed_at
    assert first.operation == "append"


def test_rows_are_the_columns_of_the_specification_sorted_by_key(place, car, csv_of):
    place.land("auto-mpg/b.csv", csv_of(car | {"name": "b"}, car | {"name": "c"}))
    place.ingest()
    place.land("auto-mpg/a.csv", csv_of(car | {"name": "a"}))
    place.ingest()

    rows = rows_at(place.lake, place.spec)

    assert rows.column_names == [column.name for column in place.spec.columns]
    assert rows.column("name").to_pylist() == ["a", "b", "c"]


def test_a_column_that_is_younger_than_the_version_is_null_in_it(place, car, csv_of):
    place.land("auto-mpg/a.csv", csv_of(car))
    old = place.ingest().snapshot_id
    doors = Column(name="doors", type="integer", nullable=True)
    place.spec = place.spec.model_copy(update={"columns": (*place.spec.columns, doors)})
    place.land("auto-mpg/b.csv", csv_of(car | {"weight": 3000, "doors": 4}))
    place.ingest()

    rows = rows_at(place.lake, place.spec, old)

    assert rows.column("doors").to_pylist() == [None]
    assert str(rows.schema.field("doors").type) == "int64"


@pytest.mark.parametrize("unknown", ["12", "", "latest"])
def test_a_version_that_is_not_there_is_told(place, car, csv_of, unknown):
    place.land("auto-mpg/a.csv", csv_of(car))
    newest = place.ingest().snapshot_id

    with pytest.raises(LakeError, match=f"auto_mpg has no version '{unknown}'; the newest of 1 is {newest}"):
        rows_at(place.lake, place.spec, unknown)


def test_before_the_first_row_there_is_no_version(place, car, csv_of):
    with pytest.raises(LakeError, match="model auto-mpg: no rows were ingested yet"):
        rows_at(place.lake, place.spec)

    place.land("auto-mpg/a.csv", csv_of(car | {"mpg": None}))
    place.ingest()

    with pytest.raises(LakeError, match="model auto-mpg: no rows were ingested yet"):
        rows_at(place.lake, place.spec)
