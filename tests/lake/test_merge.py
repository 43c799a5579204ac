"""Which rows are new, which are there already, and which contradict."""

from datetime import UTC, datetime

from lake.merge import Candidate, Key, Known, merge
from lake.objects import LandedObject
from lake.validation import ValidRow

ORIGIN = LandedObject(bucket="b", key="auto-mpg/a.csv", etag="e", size=1, modified=datetime(2026, 1, 1, tzinfo=UTC))


def candidate(car, line, **changes):
    values = tuple((car | changes).values())
    return Candidate(origin=ORIGIN, row=ValidRow(line=line, values=values, raw=""))


def test_a_key_that_repeats_with_the_same_values_is_unchanged(spec, car):
    first, again = candidate(car, 2), candidate(car, 3)

    result = merge(spec, [first, again], {})

    assert (result.added, result.unchanged, result.conflicts) == ([first], [again], [])


def test_a_key_that_repeats_with_other_values_is_refused_and_the_first_stays(spec, car):
    result = merge(spec, [candidate(car, 2), candidate(car, 3, mpg=26.0, horsepower=None)], {})

    assert [item.row.line for item in result.added] == [2]
    (refusal,) = result.conflicts
    assert refusal.rejection.line == 3
    assert refusal.rejection.fields == ("mpg", "horsepower")
    assert refusal.rejection.reason == (
        "mpg: expected 25.0 as before, got 26.0; horsepower: expected 75.0 as before, got None; "
        "duplicate key name='vega', model_year=1974, weight=2542, first seen in s3://b/auto-mpg/a.csv line 2"
    )


def test_rows_of_the_table_come_before_those_of_the_batch(spec, car):
    known: dict[Key, Known] = {("vega", 1974, 2542): Known(values=tuple(car.values()), place="s3://b/old.csv line 7")}

    result = merge(spec, [candidate(car, 2, origin="Japan"), candidate(car, 3), candidate(car, 4, weight=2543)], known)

    assert [item.row.line for item in result.added] == [4]
    assert [item.row.line for item in result.unchanged] == [3]
    assert "first seen in s3://b/old.csv line 7" in result.conflicts[0].rejection.reason
