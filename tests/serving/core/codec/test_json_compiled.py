"""The fast way and the exact way take the same documents and read the same numbers from them."""

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.rows import feature_matrix
from models.spec import ModelSpec
from serving.core.codec.decoding import decoders
from serving.core.codec.json_compiled import Decoded, compiled_json
from serving.core.codec.json_exact import json_rows
from serving.core.codec.row_type import compilable
from serving.core.errors import RequestError
from serving.core.validation import Validator
from tests.serving.core.codec.conftest import GOOD

Car = dict[str, Any]
Outcome = list[list[str]] | None


class _GoneTheExactWayError(Exception):
    pass


def _exact_refused(body: bytes) -> Decoded:
    raise _GoneTheExactWayError


def fast(spec: ModelSpec, body: bytes) -> Outcome:
    """The numbers of the fast way alone, spelt out (-0.0 and NaN too); None when it refuses."""
    try:
        rows, values = compiled_json(spec, _exact_refused)(body)
    except _GoneTheExactWayError:
        return None
    return spelt(np.array(values, dtype=np.float32).reshape(rows, len(spec.features)))


def exact(spec: ModelSpec, body: bytes) -> Outcome:
    try:
        return spelt(feature_matrix(spec, Validator(spec).columns(json_rows(body, spec.features))))
    except RequestError:
        return None


def spelt(matrix: np.ndarray) -> list[list[str]]:
    return [[value.hex() for value in row] for row in matrix.tolist()]


SPELT = r"""
    0 -0 0.0 -0.0 1 1.0 1e0 1E+2 10e-1 0.1 0.10000000000000001 0.1000000001 1000 1000.0 1001 1e3 -5 -5.5 7.000000000001
    9007199254740993 18446744073709551616 -9223372036854775809 1e22 3.4028234663852886e38 3.4028234663852887e38 3.5e38
    1e-400 4.9e-324 1e400 1e1000000 01 1. .5 +1 0x10 1_0 NaN Infinity -Infinity - 1e
    null true false "a" "b\u0020c" "\u00e9\"" "é\"" "e\u0301\"" "1" "null" "" "x" "y" "X" "x\u0000" "\ud800" "x x
    [] {} [["x"]] {"x":1}
"""
LONG = ["1" + "0" * 400, "0." + "0" * 400 + "1", "- 1", '"b c"', "[" * 600]
VALUES = (
    st.sampled_from(SPELT.split() + LONG)
    | st.floats().map(json.dumps)
    | st.integers().map(str)
    | st.text(max_size=3).map(json.dumps)
)


@st.composite
def objects(draw: st.DrawFn, spec: ModelSpec, good: Car) -> str:
    """A row as JSON text: a right one with some values, keys or spaces exchanged, doubled or left out."""
    pairs = [(json.dumps(name), json.dumps(value)) for name, value in good.items()]
    for place in draw(st.lists(st.integers(0, len(pairs) - 1), max_size=3)):
        pairs[place] = (pairs[place][0], draw(VALUES))
    change = draw(st.sampled_from(["none"] * 4 + ["shuffle", "drop", "double", "more", "escape"]))
    place = draw(st.integers(0, len(pairs) - 1))
    if change == "shuffle":
        pairs = draw(st.permutations(pairs))
    elif change == "drop":
        pairs.pop(place)
    elif change == "double":
        pairs.append((pairs[place][0], draw(VALUES)))
    elif change == "more":
        pairs.append((json.dumps(draw(st.text(max_size=4))), "1"))
    elif change == "escape":
        pairs[place] = (
            '"' + "".join(f"\\u{ord(letter):04x}" for letter in pairs[place][0][1:-1]) + '"',
            pairs[place][1],
        )
    space = draw(st.sampled_from(["", " ", "\n\t", "\f", "\u00a0"]))
    return "{" + f",{space}".join(f"{name}{space}:{value}" for name, value in pairs) + "}"


@st.composite
def arrays(draw: st.DrawFn, spec: ModelSpec, good: Car) -> str:
    values = [json.dumps(good[name]) for name in spec.features]
    for place in draw(st.lists(st.integers(0, len(values) - 1), max_size=3)):
        values[place] = draw(VALUES)
    if draw(st.integers(0, 9)) == 0:
        values = draw(st.permutations([*values, "1"]))[: draw(st.integers(0, 11))]
    return f"[{', '.join(values)}]"


FORMS = """{0}
[{0}]
[{0}, {1}]
{0}{1}
[{0}, [1]]
[{0},]
\ufeff{0}
[{0}, {0}, {0}, {0}, {0}, {0}]
{{"rows": [{0}]}}
{{"rows": {0}}}
 {{ "instances" : [ {0} ]}}
{{"rows": [{0}], "rows": [{1}]}}"""


@st.composite
def documents(draw: st.DrawFn, spec: ModelSpec, good: Car) -> bytes:
    kind: Callable[[ModelSpec, Car], st.SearchStrategy[str]] = draw(st.sampled_from([objects, arrays]))
    form = draw(st.sampled_from(FORMS.splitlines()))
    text = form.format(draw(kind(spec, good)), draw(kind(spec, good)))
    body = text.encode("utf-8", "surrogatepass")
    if draw(st.integers(0, 19)) == 0:
        cut = draw(st.integers(0, len(body)))
        body = body[:cut] + draw(st.binary(max_size=2)) + body[cut + draw(st.integers(0, 2)) :]
    return body


@settings(deadline=None)
@given(data=st.data())
def test_what_the_fast_way_takes_the_exact_way_takes_with_the_same_numbers(
    every_type: ModelSpec, data: st.DataObject
) -> None:
    body = data.draw(documents(every_type, GOOD))
    quick = fast(every_type, body)
    assert quick is None or quick == exact(every_type, body)


ROW = json.dumps(GOOD)
ARRAY = json.dumps(list(GOOD.values()))


@pytest.mark.parametrize(
    "body",
    [
        ROW,
        ROW.replace(": ", ":").replace(", ", ","),
        json.dumps(dict(reversed(GOOD.items()))),
        ROW.replace("1000", "1000.0").replace("-5", "-5e0"),
        ROW.replace('"class"', '"cl\\u0061ss"'),
        f"[{ROW}, {ROW}]",
        f'{{"rows": [{ROW}]}}',
        f' {{ "instances" : [ {ROW} ] }} ',
        f"[{ARRAY}]",
        f'{{"rows": [{ARRAY}, {ARRAY}]}}',
    ],
)
def test_what_people_send_goes_the_fast_way(every_type: ModelSpec, body: str) -> None:
    taken = fast(every_type, body.encode())
    assert taken is not None
    assert taken == exact(every_type, body.encode())


@pytest.mark.parametrize("name", list(GOOD))
@pytest.mark.parametrize("value", ["true", '"zz"', "1e400", "NaN", "[1]", "{}"])
def test_a_wrong_value_never_goes_the_fast_way(every_type: ModelSpec, name: str, value: str) -> None:
    row = ROW.replace(f'"{name}": {json.dumps(GOOD[name])}', f'"{name}": {value}')
    assert row != ROW
    assert fast(every_type, row.encode()) is None
    assert fast(every_type, f"[{ROW}, {row}]".encode()) is None


def test_a_null_is_not_a_number_in_both_ways(every_type: ModelSpec) -> None:
    row = ROW.replace("-5", "null").replace('"y"', "null")
    taken = fast(every_type, row.encode())
    assert taken is not None
    assert taken[0][-3:] == [math.nan.hex()] * 3
    assert fast(every_type, f"[{row}, {ROW}]".encode()) == [taken[0], *(fast(every_type, ROW.encode()) or [])]


def test_a_limit_that_a_float_cannot_tell_is_left_to_the_exact_way(every_type: ModelSpec) -> None:
    def limited(maximum: float) -> ModelSpec:
        changed = every_type.column("whole").model_copy(update={"maximum": maximum})
        columns = tuple(changed if column.name == "whole" else column for column in every_type.columns)
        return every_type.model_copy(update={"columns": columns})

    assert compilable(limited(2.0**53 - 1))
    assert not compilable(limited(2.0**53))
    row = json.dumps({**GOOD, "whole": 2**53 + 1}).encode()
    with pytest.raises(RequestError, match="a whole number of at most 9"):
        decoders(limited(2.0**53))["application/json"](row)
