"""Which format an object is told to have."""

import json

import pytest

from lake.sources import parse


@pytest.mark.parametrize("key", ["auto-mpg/cars.xlsx", "auto-mpg/cars", "auto-mpg/cars.csv.gz"])
def test_an_unknown_extension_is_refused_with_those_that_are_known(spec, key):
    parsed = parse(spec, key, b"anything")

    (rejection,) = parsed.rejections
    assert rejection.line == 0
    assert rejection.raw == "anything"
    assert "expected one of .csv, .jsonl, .ndjson, .parquet" in rejection.reason


@pytest.mark.parametrize("key", ["a.csv", "a.jsonl", "a.parquet"])
def test_an_empty_object_is_refused(spec, key):
    (rejection,) = parse(spec, key, b"").rejections

    assert rejection.reason == "an empty object, expected at least one row"


def test_the_extension_may_be_written_in_capitals(spec, car):
    parsed = parse(spec, "auto-mpg/CARS.JSONL", json.dumps(car).encode())

    assert parsed.rows[0].values == car
