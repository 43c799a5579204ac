"""JSON lines, right and wrong."""

import json

import pytest

from lake.json_source import parse_json_lines

LINES = {
    "malformed": ('{"name": "vega",', "no JSON ("),
    "not an object": ("[1, 2]", "a JSON array, expected one object"),
    "null": ("null", "a JSON null, expected one object"),
    "a number": ("12", "a JSON int, expected one object"),
    "deeply nested": ('{"name":' + "[" * 20000 + "]" * 20000 + "}", "no JSON ("),
    "name twice": ('{"name": "vega", "name": "pinto"}', "'name' is given twice"),
    "integer without end": ('{"mpg": ' + "9" * 5000 + "}", "no JSON ("),
}


@pytest.mark.parametrize("case", LINES)
def test_a_line_that_is_no_row_is_refused_by_itself(spec, car, case):
    line, reason = LINES[case]
    good = json.dumps(car)

    parsed = parse_json_lines(spec, f"{good}\n{line}\n\n{good}\n".encode())

    assert [row.line for row in parsed.rows] == [1, 4]
    (rejection,) = parsed.rejections
    assert (rejection.line, rejection.raw) == (2, line)
    assert reason in rejection.reason


def test_names_that_do_not_fit_are_told(spec, car):
    wrong = {("year" if name == "model_year" else name): value for name, value in car.items()} | {"colour": "red"}

    parsed = parse_json_lines(spec, json.dumps(wrong).encode())

    (rejection,) = parsed.rejections
    assert rejection.fields == ("model_year", "year", "colour")
    assert "model_year: missing; year: unknown" in rejection.reason
    assert "colour: unknown" in rejection.reason
    assert rejection.reason.endswith("acceleration, model_year, origin")


def test_a_nullable_column_may_be_left_out(spec, car):
    del car["horsepower"]

    parsed = parse_json_lines(spec, b"\xef\xbb\xbf" + json.dumps(car).encode() + b"\r\n")

    assert parsed.rejections == ()
    assert parsed.rows[0].values["horsepower"] is None
    assert parsed.rows[0].raw == json.dumps(car)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'[{"name": "vega"},\n{"name": "pinto"}]', "a JSON array, expected JSON lines"),
        (b"\n \n", "an empty object"),
        (b'{"name": "\xff"}', "byte 0xff in line 1 is not UTF-8, expected JSON lines in UTF-8"),
    ],
)
def test_an_object_that_is_no_json_lines_is_refused_as_a_whole(spec, body, reason):
    parsed = parse_json_lines(spec, body)

    assert parsed.rows == ()
    assert parsed.rejections[0].line == 0
    assert reason in parsed.rejections[0].reason
