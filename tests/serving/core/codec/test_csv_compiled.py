"""The fast way of CSV and the exact way take the same bodies and read the same numbers from them."""

import csv
import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.rows import feature_matrix
from models.spec import ModelSpec
from serving.core.codec.csv_compiled import compiled_csv
from serving.core.codec.csv_exact import csv_rows
from serving.core.codec.json_compiled import Decoded, Decoder
from serving.core.errors import RequestError
from serving.core.matrix_rules import MatrixRules
from serving.core.validation import Validator
from tests.serving.core.codec.conftest import GOOD

Outcome = list[list[str]] | None
CELLS = ["" if value is None else str(value) for value in GOOD.values()]
LINE = ",".join(CELLS)
HEADER = ",".join(GOOD)


class _GoneTheExactWayError(Exception):
    pass


def _exact_refused(body: bytes) -> Decoded:
    raise _GoneTheExactWayError


@pytest.fixture(scope="module")
def decoder(every_type: ModelSpec) -> Decoder:
    return compiled_csv(every_type, MatrixRules(every_type, Validator(every_type)), _exact_refused)


def fast(decoder: Decoder, body: bytes) -> Outcome:
    try:
        rows, values = decoder(body)
    except _GoneTheExactWayError:
        return None
    return spelt(np.array(values).reshape(rows, -1))


def exact(spec: ModelSpec, body: bytes) -> Outcome:
    try:
        return spelt(feature_matrix(spec, Validator(spec).columns(csv_rows(body, spec))))
    except RequestError:
        return None


def spelt(matrix: np.ndarray) -> list[list[str]]:
    return [[value.hex() for value in row] for row in matrix.tolist()]


WORDS = """0 -0 -0.0 1 1.0
+1 .5 5. 01 1e3 1E+2 10e-1 0.1 0.10000000000000001 0.1000001 1e400 1e-400 1_0 nan inf -Infinity
null true a b x y 1000 1000.5 -5 7.5 9007199254740993 340282346638528860000000000000000000000 [1] {} 1] [2 0x1 é é\" """
SPACED = ["", " ", "b c", " b c", "b c ", '"b c"', '"é"""', " 1", "1 ", "1 2", "\t1", "\x00"]
VALUES = st.sampled_from(WORDS.split() + SPACED) | st.text(max_size=2)


@st.composite
def lines(draw: st.DrawFn) -> str:
    cells = list(CELLS)
    for place in draw(st.lists(st.integers(0, len(cells) - 1), max_size=3)):
        cells[place] = draw(VALUES)
    if draw(st.integers(0, 9)) == 0:
        cells = [*cells, "1"][: draw(st.integers(0, len(cells) + 1))]
    return ",".join(cells)


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    end = draw(st.sampled_from(["\n", "\r\n", "\r", "\n\n"]))
    headers = ["", HEADER, f"\ufeff{HEADER}", ",".join(reversed(list(GOOD))), f"{HEADER},y"]
    first = draw(st.sampled_from(headers))
    rows = draw(st.lists(lines(), min_size=1, max_size=6))
    text = end.join([first, *rows] if first else rows) + draw(st.sampled_from(["", end, end + end]))
    return text.encode("utf-8", "surrogatepass")


@settings(deadline=None)
@given(data=st.data())
def test_what_the_fast_way_takes_the_exact_way_takes_with_the_same_numbers(
    every_type: ModelSpec, decoder: Decoder, data: st.DataObject
) -> None:
    body = data.draw(bodies())
    try:
        quick = fast(decoder, body)
    except RequestError as error:
        assert (error.status, exact(every_type, body)) == (413, None)  # noqa: PT017
        return
    assert quick is None or quick == exact(every_type, body)


@pytest.mark.parametrize(
    "body",
    [
        LINE,
        f"{LINE}\n{LINE}\n",
        f"{LINE}\r\n{LINE}\r\n\r\n",
        f"{HEADER}\n{LINE}\n",
        f"{HEADER}\r\n{LINE}",
        LINE.replace(",7,", ",7.0,").replace(",1000,", ", 1e3 ,"),
        LINE.replace(",-5,y", ",,"),
    ],
)
def test_what_is_plain_goes_the_fast_way(every_type: ModelSpec, decoder: Decoder, body: str) -> None:
    taken = fast(decoder, body.encode())
    assert taken is not None
    assert taken == exact(every_type, body.encode())


@pytest.mark.parametrize("place", range(len(CELLS)))
@pytest.mark.parametrize("value", ["true", "zz", "1e400", "NaN", "1_0", '"', "[1]"])
def test_a_wrong_cell_never_goes_the_fast_way(decoder: Decoder, place: int, value: str) -> None:
    cells = [*CELLS[:place], value, *CELLS[place + 1 :]]
    assert fast(decoder, f"{LINE}\n{','.join(cells)}\n".encode()) is None


def test_lines_of_different_lengths_never_go_the_fast_way(decoder: Decoder) -> None:
    short, long = LINE.rsplit(",", 1)[0], LINE + ",x"
    assert fast(decoder, f"{short}\n{long}\n".encode()) is None


def test_a_category_that_needs_quotes_is_read_the_exact_way(every_type: ModelSpec, decoder: Decoder) -> None:
    text = io.StringIO()
    row: list[Any] = ['é"' if cell == "b c" else cell for cell in CELLS]
    csv.writer(text, lineterminator="\n").writerow(row)
    assert fast(decoder, text.getvalue().encode()) is None
    assert exact(every_type, text.getvalue().encode()) is not None


def test_too_many_rows_are_told_without_reading_them(every_type: ModelSpec, decoder: Decoder) -> None:
    with pytest.raises(RequestError, match="6 rows were sent; expected at most 5") as caught:
        decoder(f"{LINE}\n".encode() * 6)
    assert caught.value.status == 413
    with pytest.raises(RequestError, match="6 rows were sent"):
        decoder(f"{HEADER}\n".encode() + f"{LINE}\n".encode() * 6)


def test_a_header_of_another_order_is_no_row_too_many(every_type: ModelSpec, decoder: Decoder) -> None:
    body = "\n".join([",".join(reversed(list(GOOD))), *[",".join(reversed(CELLS))] * 5]).encode()
    assert fast(decoder, body) is None
    assert len(exact(every_type, body) or []) == 5
