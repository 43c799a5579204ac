"""Rows against the model's specification."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lake.json_source import parse_json_lines
from lake.sources import parse
from lake.validation import schema_for, validate

WRONG = {
    "wrong type": ("cylinders", "four", "cylinders: expected a whole number from 2 to 16, got 'four'"),
    "part of a number": ("cylinders", "4.5", "cylinders: expected a whole number from 2 to 16, got '4.5'"),
    "above the range": ("horsepower", "501", "horsepower: expected a number from 20 to 500 hp, or nothing, got '501'"),
    "below the range": ("weight", "999", "weight: expected a whole number from 1000 to 8000 lb, got '999'"),
    "unknown category": ("origin", "Mars", "origin: expected one of USA, Europe, Japan, got 'Mars'"),
    "category in other case": ("origin", "usa", "origin: expected one of USA, Europe, Japan, got 'usa'"),
    "missing target": ("mpg", "", "mpg: expected a number from 1 to 100 mi/gal, got nothing"),
    "missing text": ("name", "", "name: expected text, got nothing"),
    "not a number": ("mpg", "NaN", "mpg: expected a number from 1 to 100 mi/gal, got 'NaN'"),
    "infinite": (
        "horsepower",
        "Infinity",
        "horsepower: expected a number from 20 to 500 hp, or nothing, got 'Infinity'",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_cell_is_told_with_what_was_expected(spec, car, csv_of, case):
    name, value, reason = WRONG[case]

    validated = validate(spec, parse(spec, "cars.csv", csv_of(car, car | {name: value}, car)))

    assert [row.line for row in validated.rows] == [2, 4]
    (rejection,) = validated.rejections
    assert (rejection.line, rejection.fields, rejection.reason) == (3, (name,), reason)
    assert "vega" in rejection.raw or name == "name"


def test_all_that_is_wrong_with_a_row_is_one_reason(spec, car, csv_of):
    wrong = car | {"origin": "Mars", "mpg": "1000", "weight": "heavy"}

    (rejection,) = validate(spec, parse(spec, "cars.csv", csv_of(wrong))).rejections

    assert rejection.fields == ("mpg", "weight", "origin")
    assert [part.split(":")[0] for part in rejection.reason.split("; ")] == ["mpg", "weight", "origin"]


def test_json_numbers_are_numbers_and_not_text(spec, car):
    lines = [car | {"mpg": float("nan")}, car | {"weight": "2542"}, car | {"horsepower": None}]

    validated = validate(spec, parse_json_lines(spec, "\n".join(map(json.dumps, lines)).encode()))

    assert [(rejection.line, rejection.fields) for rejection in validated.rejections] == [
        (1, ("mpg",)),
        (2, ("weight",)),
    ]
    assert validated.rejections[0].reason.endswith("got nan")
    assert validated.rows[0].values[4] is None


def test_the_borders_of_a_range_belong_to_it(spec, car, csv_of):
    validated = validate(spec, parse(spec, "a.csv", csv_of(car | {"horsepower": 20}, car | {"horsepower": 500})))

    assert validated.rejections == ()


def test_values_come_out_in_the_types_and_order_of_the_specification(spec, car, csv_of):
    (row,) = validate(spec, parse(spec, "a.csv", csv_of(dict(reversed(car.items()))))).rows

    assert row.values == tuple(car.values())
    assert [type(value) for value in row.values] == [str, float, int, float, float, int, float, int, str]


def test_the_schema_holds_what_the_specification_says(spec):
    schema = schema_for(spec)

    assert list(schema.columns) == [column.name for column in spec.columns]
    assert schema.columns["horsepower"].nullable
    assert not schema.columns["mpg"].nullable


@settings(max_examples=25, deadline=None)
@given(
    cells=st.lists(st.lists(st.sampled_from(["", "12", "1500", "NaN", "x", "USA"]), min_size=9, max_size=9), min_size=1)
)
def test_every_row_is_on_one_side(spec, cells):
    names = [column.name for column in spec.columns]
    body = "\n".join(",".join(row) for row in [names, *cells]).encode()

    validated = validate(spec, parse(spec, "a.csv", body))

    lines = sorted([row.line for row in validated.rows] + [rejection.line for rejection in validated.rejections])
    assert lines == list(range(2, len(cells) + 2))
