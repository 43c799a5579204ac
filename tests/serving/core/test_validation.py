import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.rows import feature_matrix
from models.spec import ModelSpec
from serving.core.errors import RequestError
from serving.core.validation import Validator, Value

Car = dict[str, object]


def refusal(spec: ModelSpec, rows: list[Any]) -> RequestError:
    with pytest.raises(RequestError) as caught:
        Validator(spec).columns(rows)
    return caught.value


@pytest.mark.parametrize(
    ("field", "value", "code", "says"),
    [
        ("weight", True, "wrong_type", "expected a whole number from 1000 to 8000 lb, got true"),
        ("weight", "2130", "wrong_type", "got the text '2130'"),
        ("weight", [2130], "wrong_type", "got an array"),
        ("weight", {"value": 1}, "wrong_type", "got an object"),
        ("weight", 2130.5, "wrong_type", "got 2130.5"),
        ("weight", 999, "out_of_range", "from 1000 to 8000 lb, got 999"),
        ("weight", 8001, "out_of_range", "got 8001"),
        ("weight", 9000.0, "out_of_range", "got 9000"),
        ("weight", 1234567.0, "out_of_range", "got 1234567"),
        ("weight", 10**400, "out_of_range", "got a huge number"),
        ("weight", None, "null_value", "must not be null or empty"),
        ("displacement", math.nan, "not_finite", "got nan"),
        ("displacement", math.inf, "not_finite", "got inf"),
        ("displacement", -math.inf, "not_finite", "got -inf"),
        ("displacement", 29.999, "out_of_range", "from 30 to 800 in³"),
        ("displacement", 800.00001, "out_of_range", "from 30 to 800 in³, got 800.00001"),
        ("displacement", 1234567.5, "out_of_range", "got 1234567.5"),
        ("displacement", 1e300, "out_of_range", "got 1e+300"),
        ("origin", 0.1234567, "wrong_type", "got 0.1234567"),
        ("horsepower", "", "wrong_type", "or nothing"),
        ("origin", "Mars", "unknown_category", "expected one of USA, Europe, Japan"),
        ("origin", "usa", "unknown_category", "'usa'"),
        ("origin", 1, "wrong_type", "got 1"),
        ("origin", None, "null_value", "USA, Europe, Japan"),
        ("origin", ["USA"], "wrong_type", "got an array"),
    ],
)
def test_a_wrong_value_is_refused_by_row_and_field(
    spec: ModelSpec, car: Car, field: str, value: object, code: str, says: str
) -> None:
    error = refusal(spec, [car, {**car, field: value}])
    assert (error.code, error.row, error.field, error.status) == (code, 1, field, 400)
    assert error.message.startswith(f"row 1, field '{field}': ")
    assert says in error.message


@pytest.mark.parametrize("field", ["cylinders", "horsepower", "origin"])
def test_a_missing_field_is_named(spec: ModelSpec, car: Car, field: str) -> None:
    error = refusal(spec, [{name: value for name, value in car.items() if name != field}])
    assert (error.code, error.row, error.field) == ("missing_field", 0, field)
    assert spec.column(field).expectation in error.message


def test_an_extra_field_is_named(spec: ModelSpec, car: Car) -> None:
    error = refusal(spec, [{**car, "colour": "red"}])
    assert (error.code, error.row, error.field) == ("extra_field", 0, "colour")


@pytest.mark.parametrize(
    ("values", "code"), [([4] * 6, "missing_field"), ([4] * 8, "extra_field"), ([], "missing_field")]
)
def test_arrays_have_one_value_a_feature(spec: ModelSpec, values: list[int], code: str) -> None:
    error = refusal(spec, [values])
    assert (error.code, error.row) == (code, 0)
    assert ", ".join(spec.features) in error.message


@pytest.mark.parametrize("row", [3, "text", None, True])
def test_a_row_is_an_object_or_an_array(spec: ModelSpec, car: Car, row: object) -> None:
    assert refusal(spec, [row]).code == "wrong_type"
    assert refusal(spec, [car, row]).row == 1


def test_kinds_of_rows_do_not_mix(spec: ModelSpec, car: Car) -> None:
    assert refusal(spec, [car, list(car.values())]).code == "wrong_type"
    assert refusal(spec, [list(car.values()), car]).code == "wrong_type"


def test_no_rows_and_too_many(spec: ModelSpec, car: Car) -> None:
    assert refusal(spec, []).code == "no_rows"
    error = refusal(spec, [car] * 1001)
    assert (error.code, error.status) == ("too_many_rows", 413)
    assert "at most 1000" in error.message
    assert len(Validator(spec).columns([car] * 1000)["weight"]) == 1000


def test_null_where_it_is_allowed_and_integral_floats(spec: ModelSpec, car: Car) -> None:
    columns = Validator(spec).columns([{**car, "horsepower": None, "weight": 2130.0}])
    matrix = feature_matrix(spec, columns)
    assert math.isnan(matrix[0, 2])
    assert matrix[0, 3] == 2130


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["USA", "Japan"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@settings(deadline=None)
@given(data=st.data())
def test_any_value_is_either_refused_by_name_or_fit_for_the_model(spec: ModelSpec, data: st.DataObject) -> None:
    good: Car = dict(zip(spec.features, (4, 97.0, 88.0, 2130, 14.5, 1971, "Japan"), strict=True))
    changed = data.draw(st.dictionaries(st.sampled_from(spec.features), JSON_VALUES, max_size=3))
    outcome = columns_or_refusal(spec, good | changed)
    if isinstance(outcome, RequestError):
        assert outcome.status == 400
        assert outcome.field in changed
        assert repr(outcome.field) in outcome.message
        return
    for name, (value,) in outcome.items():
        column = spec.column(name)
        if value is None:
            assert column.nullable
        elif isinstance(value, str):
            assert value in column.categories
        else:
            assert column.minimum is not None
            assert column.maximum is not None
            assert column.minimum <= value <= column.maximum


def columns_or_refusal(spec: ModelSpec, row: Car) -> dict[str, list[Value]] | RequestError:
    try:
        return Validator(spec).columns([row])
    except RequestError as error:
        return error
