"""CSV as producers send it, right and wrong."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lake.csv_source import parse_csv

HEADER = b"name,mpg,cylinders,displacement,horsepower,weight,acceleration,model_year,origin"
CAR = b"vega,25,4,140,75,2542,17,1974,USA"


def with_header(old: bytes, new: bytes) -> bytes:
    return HEADER.replace(old, new) + b"\n" + CAR + b"\n"


REFUSED = {
    "missing column": (with_header(b",weight", b""), "header: weight: missing; expected name,mpg,"),
    "extra column": (with_header(b"origin", b"origin,colour"), "header: colour: unknown; expected name,mpg,"),
    "renamed column": (with_header(b"horsepower", b"horse_power"), "horse_power: unknown, did you mean horsepower?"),
    "other case": (with_header(b"mpg", b"MPG"), "MPG: unknown, did you mean mpg?"),
    "column twice": (with_header(b"displacement", b"mpg"), "mpg: given 2 times"),
    "no header": (CAR + b"\n" + CAR + b"\n", "header: name: missing"),
    "semicolons": (with_header(b",", b";"), "separated by commas"),
    "empty file": (b"", "an empty object, expected the header name,mpg"),
    "only blank lines": (b"\n\r\n\n", "an empty object, expected the header name,mpg"),
    "only a byte-order mark": (b"\xef\xbb\xbf", "an empty object"),
    "header only": (HEADER + b"\n", "a header without rows, expected at least one row"),
    "binary garbage": (bytes(range(256)) * 4, "binary content (a NUL byte at 0), expected CSV"),
    "gzip": (b"\x1f\x8b\x08" + bytes([200, 201, 255]) * 20, "byte 0x8b in line 1 is not UTF-8, expected CSV in UTF-8"),
    "Latin-1": (HEADER + b"\n" + CAR + b"\nciro\xebn" + CAR[4:] + b"\n", "byte 0xeb in line 3 is not UTF-8"),
    "UTF-16": ((HEADER + b"\n" + CAR).decode().encode("utf-16"), "encoded as UTF-16, expected CSV in UTF-8"),
    "open quote in the header": (b'name,"mpg\n' + CAR, "the header is no CSV (unexpected end of data)"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_object_that_cannot_be_read_is_refused_as_a_whole(spec, case):
    body, reason = REFUSED[case]

    parsed = parse_csv(spec, body)

    assert parsed.rows == ()
    (rejection,) = parsed.rejections
    assert rejection.line == 0
    assert reason in rejection.reason


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf" + HEADER + b"\n" + CAR + b"\n",
        HEADER + b"\r\n" + CAR + b"\r\n",
        HEADER + b"\r" + CAR + b"\r",
        HEADER + b"\n" + CAR,
        b"\n" + HEADER + b"\n" + CAR + b"\n\n",
    ],
    ids=["byte-order mark", "CRLF", "CR", "no end of line at the end", "blank lines"],
)
def test_spellings_of_the_same_file_give_the_same_row(spec, body):
    parsed = parse_csv(spec, body)

    assert parsed.rejections == ()
    (row,) = parsed.rows
    assert row.values == {
        "name": "vega",
        "mpg": "25",
        "cylinders": "4",
        "displacement": "140",
        "horsepower": "75",
        "weight": "2542",
        "acceleration": "17",
        "model_year": "1974",
        "origin": "USA",
    }
    assert row.raw == CAR.decode()


def test_columns_may_come_in_any_order(spec):
    parsed = parse_csv(spec, b",".join(reversed(HEADER.split(b","))) + b"\n" + b",".join(reversed(CAR.split(b","))))

    assert parsed.rows[0].values["name"] == "vega"
    assert parsed.rows[0].values["origin"] == "USA"


def test_a_record_over_several_lines_counts_them(spec):
    long_name = b'"ve\n""ga""\r\n2300"' + CAR[4:]

    parsed = parse_csv(spec, b"\n".join([HEADER, long_name, CAR, CAR + b",more", CAR]))

    assert [row.line for row in parsed.rows] == [2, 5, 7]
    assert parsed.rows[0].values["name"] == 've\n"ga"\r\n2300'
    assert parsed.rows[0].raw == long_name.decode()
    (rejection,) = parsed.rejections
    assert (rejection.line, rejection.reason) == (6, "10 cells, expected 9")


def test_a_quote_that_is_never_closed_is_refused_with_all_that_it_swallows(spec):
    parsed = parse_csv(spec, b"\n".join([HEADER, CAR, b'"vega' + CAR[4:], CAR, CAR]))

    assert [row.line for row in parsed.rows] == [2]
    (rejection,) = parsed.rejections
    assert rejection.line == 3
    assert "unexpected end of data" in rejection.reason
    assert rejection.raw.count("\n") == 2


def test_reading_goes_on_after_a_cell_that_is_too_large(spec):
    huge = b'"' + b"x" * (csv.field_size_limit() + 1) + b'"' + CAR[4:]

    parsed = parse_csv(spec, b"\n".join([HEADER, huge, CAR]))

    assert [row.line for row in parsed.rows] == [3]
    assert "field larger than field limit" in parsed.rejections[0].reason


@settings(deadline=None)
@given(cells=st.lists(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=9, max_size=9)))
def test_every_row_that_the_csv_writer_can_write_is_read_back_from_its_line(spec, cells):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(HEADER.decode().split(","))
    lines = []
    for row in cells:
        lines.append(len(io.StringIO(text.getvalue(), newline="").readlines()) + 1)
        writer.writerow(row)

    parsed = parse_csv(spec, text.getvalue().encode())

    assert [list(row.values.values()) for row in parsed.rows] == cells
    assert [row.line for row in parsed.rows] == lines


@settings(deadline=None)
@given(body=st.binary(max_size=300))
def test_no_bytes_are_lost_without_a_word(spec, body):
    parsed = parse_csv(spec, HEADER + b"\n" + body)

    refused_as_a_whole = any(rejection.line == 0 for rejection in parsed.rejections)
    kept = "".join(part.raw for part in (*parsed.rows, *parsed.rejections))
    if not refused_as_a_whole:
        text = body.decode()
        assert sorted(kept.replace("\r", "").replace("\n", "")) == sorted(text.replace("\r", "").replace("\n", ""))
