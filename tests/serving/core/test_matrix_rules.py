import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.spec import ModelSpec
from serving.core.errors import RequestError
from serving.core.matrix_rules import MatrixRules, real_numbers
from serving.core.validation import Validator

ROW = [4, 97.0, 88.0, 2130, 14.5, 1971, 2]


@pytest.fixture(scope="module")
def rules(spec: ModelSpec) -> MatrixRules:
    return MatrixRules(spec, Validator(spec))


def wide(spec: ModelSpec, rows: int) -> MatrixRules:
    """The rules of a model that takes so many rows that limits are not tiled for all of them."""
    serving = spec.serving.model_copy(update={"max_rows": rows})
    changed = spec.model_copy(update={"serving": serving})
    return MatrixRules(changed, Validator(changed))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_right_rows_are_float32(rules: MatrixRules, kind: type[np.float64]) -> None:
    checked = rules.checked(np.array([ROW] * 3, dtype=kind))
    assert checked.dtype == np.float32
    assert checked.tolist() == [ROW] * 3


def test_more_rows_than_are_tiled_meet_the_same_rules(spec: ModelSpec) -> None:
    many = wide(spec, 50_000)
    matrix = np.array([ROW] * 20_000, dtype=np.float32)
    assert many.checked(matrix) is matrix
    matrix[19_999, 3] = 999
    with pytest.raises(RequestError, match=r"from 1000 to 8000 lb, got 999") as caught:
        many.checked(matrix)
    assert (caught.value.row, caught.value.field) == (19_999, "weight")


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("position", "value", "says"),
    [
        (1, 800.001, "expected a number from 30 to 800 in³, got 800.001"),
        (1, 1234567.5, "got 1234567.5"),
        (1, 0.1, "got 0.1"),
        (3, 2130.1, "expected a whole number from 1000 to 8000 lb, got 2130.1"),
        (6, 2.0001, "expected the place, from 0 to 2, of one of USA, Europe, Japan; got 2.0001"),
    ],
)
def test_a_wrong_value_is_told_with_the_digits_that_it_was_sent_with(
    rules: MatrixRules, kind: type[np.float64], position: int, value: float, says: str
) -> None:
    matrix = np.array([ROW], dtype=kind)
    matrix[0, position] = value
    with pytest.raises(RequestError) as caught:
        rules.checked(matrix)
    assert caught.value.message.endswith(says)


@settings(deadline=None)
@given(
    position=st.integers(0, 6),
    value=st.one_of(st.floats(width=32), st.integers(-10_000, 10_000).map(float), st.sampled_from([0.5, math.nan])),
)
def test_a_matrix_is_judged_as_its_values_are_one_by_one(
    spec: ModelSpec, rules: MatrixRules, position: int, value: float
) -> None:
    row = np.array([ROW], dtype=np.float64)
    row[0, position] = value
    column = spec.feature_columns[position]
    sent: object = value
    if math.isnan(value) and column.nullable:
        sent = None
    if column.type == "category":
        sent = column.categories[int(value)] if value in (0, 1, 2) else "no such category"
    alone: RequestError | None = None
    try:
        Validator(spec).value(position, sent, 0)
    except RequestError as error:
        alone = error
    if alone is None:
        assert rules.checked(row).shape == (1, 7)
        return
    with pytest.raises(RequestError) as caught:
        rules.checked(row)
    assert (caught.value.code, caught.value.field) == (alone.code, column.name)


def test_what_are_numbers(rules: MatrixRules) -> None:
    half, whole = real_numbers(np.ones(3, dtype="f2")), real_numbers(np.ones(3, dtype=">i4"))
    assert half is not None
    assert half.dtype == np.float32
    assert whole is not None
    assert whole.dtype == np.float64
    assert real_numbers(np.array(["a"])) is None
    assert real_numbers(np.array([True])) is None
