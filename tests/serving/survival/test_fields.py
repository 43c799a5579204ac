"""Every type in every field, made from the specification and sent to a real server: refused with the field, or right.

What is right is judged here a second time, in a few lines: a server that takes what it should not, or refuses what it
should take, differs from them.
"""

import csv
import io
import json
import math
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyarrow import ipc

from models.schema import Column
from models.spec import ModelSpec, load_spec
from tests.serving.conftest import BIAS, HORSEPOWER_WHEN_MISSING, MODEL_FOLDER, WEIGHTS
from tests.serving.http.harness import Client, Reply, post
from tests.serving.survival.conftest import CAR

pytestmark = pytest.mark.slow
SPEC: ModelSpec = load_spec(MODEL_FOLDER)
JSON, CSV, ARROW, RAW = (
    "application/json",
    "text/csv",
    "application/vnd.apache.arrow.stream",
    "application/octet-stream",
)
Ask = Callable[[bytes, str], Reply]


@pytest.fixture(scope="module")
def ask(start_server: Callable[..., Any], base_dir: Path) -> Iterator[Ask]:
    """Ask one server over one connection; in the end it is the same process, and complains of nothing."""
    # Whether the machine is slow is not asked here.
    server = start_server(base_dir, SERVING_SLOW_MS="600000")
    server.wait_until_ready()
    (worker,) = children_of(server.process.pid)
    with Client(server.port) as client:

        def send(body: bytes, kind: str) -> Reply:
            return client.send(post(body).replace(JSON.encode(), kind.encode(), 1)).answer()

        yield send
    assert children_of(server.process.pid) == [worker]
    said = [json.loads(line) for line in server.stderr().splitlines()]
    assert {record["message"] for record in said[1:]} <= {"request refused"}
    assert {record["status"] for record in said[1:]} <= {400, 413, 415}


def children_of(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def is_right(column: Column, value: object) -> bool:
    """Whether the specification allows `value`, as a program would mean it."""
    if value is None:
        return column.nullable
    if column.type == "category":
        return isinstance(value, str) and value in column.categories
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return False
    whole = isinstance(value, int) or value.is_integer() or column.type == "float"
    return whole and (column.minimum or 0) <= value <= (column.maximum or math.inf)


def prediction(row: dict[str, Any]) -> float:
    """What the model of tests/serving/conftest.py says."""
    numbers = {**row, "origin": SPEC.column("origin").categories.index(row["origin"])}
    numbers["horsepower"] = HORSEPOWER_WHEN_MISSING if row["horsepower"] is None else row["horsepower"]
    return BIAS + sum(float(weight) * float(numbers[name]) for weight, name in zip(WEIGHTS, SPEC.features, strict=True))


def wrong(answer: Reply, name: str, row: dict[str, Any], number: int) -> object:
    """What is wrong with the answer; None where nothing is.

    `row` is CAR with something else as `name`; it was sent as row `number`, behind right ones.
    """
    document = json.loads(answer.body)
    if is_right(SPEC.column(name), row[name]):
        right = answer.status == 200 and document["predictions"][number] == pytest.approx(prediction(row), abs=0.01)
    else:
        error = document.get("error", {})
        right = (answer.status, error.get("field"), error.get("row")) == (400, name, number)
        right = right and len(error["message"]) > 10
    return None if right else (name, row[name], answer.status, document)


def near(column: Column) -> st.SearchStrategy[Any]:
    """What is right for a column, what just is, and what just is not."""
    if column.type == "category":
        words = [
            *column.categories,
            column.categories[0].lower(),
            f"{column.categories[0]} ",
            f"{column.categories[0]}\0",
        ]
        return st.sampled_from(words)
    low, high = column.minimum or 0, column.maximum or 0
    limits = [low, high, low - 1, high + 1, math.nextafter(low, -math.inf), math.nextafter(high, math.inf), low + 0.5]
    return st.integers(int(low), int(high)) | st.floats(low, high) | st.sampled_from(limits)


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**300), 10**300)
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(["", "USA", "NaN", "1e3", "null", "\0", "\ud800", "٣", "0x10", "a" * 10_000])
)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)


def is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@st.composite
def cars(draw: st.DrawFn, values: st.SearchStrategy[Any] = ANYTHING) -> tuple[str, dict[str, Any]]:
    """CAR with anything, or almost the right thing, in one field."""
    name = draw(st.sampled_from(SPEC.features))
    return name, CAR | {name: draw(near(SPEC.column(name)) | values)}


@settings(deadline=None, max_examples=600)
@given(cars(), st.booleans(), st.integers(0, 2))
@example(("origin", CAR | {"origin": "\ud800"}), True, 0)
@example(("weight", CAR | {"weight": float("nan")}), False, 2)
def test_any_json_in_any_field(ask: Ask, made: tuple[str, dict[str, Any]], by_name: bool, before: int) -> None:
    name, row = made
    rows = [*[CAR] * before, row]
    answer = ask(json.dumps(rows if by_name else [list(one.values()) for one in rows]).encode(), JSON)
    if not is_text(json.dumps(row[name], ensure_ascii=False)):
        # Half a pair of UTF-16 is no text, and the body so no JSON.
        assert (answer.status, answer.error["code"]) == (400, "malformed_json")
    else:
        assert wrong(answer, name, row, before) is None


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([*SPEC.features, "name", "mpg", "", "Weight"]), st.just(1), max_size=9))
def test_any_set_of_fields(ask: Ask, fields: dict[str, Any]) -> None:
    row = {name: CAR.get(name, 1) for name in fields}
    answer = ask(json.dumps(row).encode(), JSON)
    if set(row) == set(SPEC.features):
        assert answer.status == 200
        return
    missing, extra = set(SPEC.features) - set(row), set(row) - set(SPEC.features)
    assert (answer.status, answer.error["field"] in missing | extra) == (400, True), answer.body


def number_or_text(cell: str) -> object:
    """A cell as a person would read it."""
    cell = cell.strip()
    if not cell:
        return None
    try:
        return float(cell) if cell.isascii() and "_" not in cell else cell
    except ValueError:
        return cell


@settings(deadline=None, max_examples=400)
@given(cars(st.text(st.characters(exclude_characters="\0\r\n", exclude_categories=["Cs"]), max_size=20)))
def test_any_cell_in_any_column(ask: Ask, made: tuple[str, dict[str, Any]]) -> None:
    name, row = made
    text = "" if row[name] is None else str(row[name]).replace("\0", "")
    column = SPEC.column(name)
    row = row | {name: number_or_text(text) if column.is_numeric else text.strip() or None}
    file = io.StringIO(newline="")
    csv.writer(file).writerows([list(CAR.values()), list((row | {name: text}).values())])
    assert wrong(ask(file.getvalue().encode(), CSV), name, row, 1) is None


ARROW_TYPES: list[tuple[pa.DataType, st.SearchStrategy[Any]]] = [
    (pa.bool_(), st.booleans()),
    (pa.int8(), st.integers(-128, 127)),
    (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    (pa.uint64(), st.integers(0, 2**64 - 1)),
    (pa.float32(), st.floats(width=32)),
    (pa.float64(), st.floats()),
    (pa.string(), st.text(max_size=10) | st.sampled_from(["USA", "Japan"])),
    (pa.large_string(), st.sampled_from(["USA", "usa"])),
    (pa.binary(), st.binary(max_size=10)),
    (pa.null(), st.none()),
    (pa.date32(), st.dates(date(1970, 1, 2))),
    (pa.timestamp("us"), st.datetimes(datetime(1970, 1, 2))),  # noqa: DTZ001 - Arrow's own have none either
    (pa.list_(pa.int64()), st.lists(st.integers(0, 9), max_size=2)),
    (pa.struct([("a", pa.int64())]), st.fixed_dictionaries({"a": st.integers(0, 9)})),
]


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_any_arrow_type_in_any_column(ask: Ask, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(SPEC.features))
    kind, values = data.draw(st.sampled_from(ARROW_TYPES))
    column = SPEC.column(name)
    fits = kind in (pa.float64(), pa.int64()) if column.is_numeric else kind == pa.string()
    value = data.draw(near(column).filter(lambda v: kind != pa.int64() or isinstance(v, int)) if fits else values)
    cells: dict[str, Any] = CAR
    arrays = {key: pa.array([right]) for key, right in cells.items()} | {name: pa.array([value], kind)}
    table = pa.table(arrays)
    with io.BytesIO() as file:
        with ipc.new_stream(file, table.schema) as writer:
            writer.write_table(table)
        answer = ask(file.getvalue(), ARROW)
    if answer.status == 200:
        assert is_right(column, value), (name, kind, value)
        assert json.loads(answer.body)["predictions"][0] == pytest.approx(prediction(CAR | {name: value}), abs=0.01)
    else:
        assert (answer.status, answer.error["field"]) == (400, name), (kind, value, answer.body)
        # A column of Arrow's type null is refused as a type, also where a null of another type is taken.
        assert kind == pa.null() or not is_right(column, value), (name, kind, value, answer.body)


@settings(deadline=None, max_examples=300)
@given(st.integers(0, len(SPEC.features) - 1), st.floats(width=32) | st.integers(0, 3000).map(float))
def test_any_number_in_any_place_of_a_tensor(ask: Ask, place: int, value: float) -> None:
    origin = SPEC.column("origin").categories.index(str(CAR["origin"]))
    row = [float(str(number)) for number in (CAR | {"origin": origin}).values()]
    row[place] = value
    name, column = SPEC.features[place], SPEC.feature_columns[place]
    answer = ask(np.array(row, dtype="<f4").tobytes(), RAW)
    if column.type == "category":
        right = value in range(len(column.categories))
    else:
        right = is_right(column, None if math.isnan(value) else value)
    assert answer.status == (200 if right else 400), (name, value, answer.body)
    assert right or answer.error["field"] == name
