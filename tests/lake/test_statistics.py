"""Figures of the data."""

import statistics

import pytest

from lake.statistics import kind_of, report
from models.auto_mpg.source import fetch

# Against a whole lake on a moto server; test_ingest.py is the fast one of these.
pytestmark = pytest.mark.slow


def test_the_report_of_the_cars(place):
    uri = place.land("auto-mpg/cars.csv", fetch())
    place.ingest()

    found = report(place.lake, place.spec)

    assert (found.model, found.rows, found.quarantined, len(found.snapshots)) == ("auto-mpg", 398, 8, 1)
    columns = {column.name: column for column in found.columns}
    mpg = [row["mpg"] for row in place.curated()]
    assert (columns["mpg"].rows, columns["mpg"].nulls, columns["mpg"].unit) == (398, 0, "mi/gal")
    assert (columns["mpg"].minimum, columns["mpg"].maximum) == (min(mpg), max(mpg))
    assert columns["mpg"].mean == pytest.approx(statistics.mean(mpg))
    assert columns["mpg"].deviation == pytest.approx(statistics.stdev(mpg))
    assert columns["mpg"].median == pytest.approx(statistics.median(mpg))
    assert columns["horsepower"].nulls == 6
    assert columns["origin"].most_common == (("USA", 249), ("Japan", 79), ("Europe", 70))
    assert columns["origin"].distinct == 3
    (reason,) = found.reasons
    assert (reason.reason, reason.rows) == ("mpg: expected a number from 1 to 100 mi/gal", 8)
    assert (reason.object, reason.line) == (uri, 12)


def test_before_the_first_object_there_is_nothing_to_report(place):
    found = report(place.lake, place.spec)

    assert (found.rows, found.snapshots, found.columns, found.quarantined, found.reasons) == (0, (), (), 0, ())


def test_nothing_but_bad_rows_is_reported_too(place, car, csv_of):
    place.land("auto-mpg/a.csv", csv_of(car | {"mpg": None}, car | {"origin": "Mars"}, car | {"origin": "Venus"}))
    place.ingest()

    found = report(place.lake, place.spec)

    assert (found.rows, found.columns) == (0, ())
    assert [(reason.reason, reason.rows) for reason in found.reasons] == [
        ("origin: expected one of USA, Europe, Japan", 2),
        ("mpg: expected a number from 1 to 100 mi/gal", 1),
    ]


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        (
            "mpg: expected a number, got 'x; y'; origin: expected one of a, b, got nothing",
            "mpg: expected a number; origin: expected one of a, b",
        ),
        (
            "mpg: expected 25.0 as before, got 26.0; duplicate key name='a', weight=1, first seen in s3://b/k line 2",
            "mpg: expected the value as before; duplicate key",
        ),
        ("10 cells, expected 9", "10 cells, expected 9"),
    ],
)
def test_equal_mistakes_are_of_one_kind(reason, kind):
    assert kind_of(reason) == kind
