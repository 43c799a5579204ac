"""Single cells."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lake.cells import Invalid, read_cell
from models.schema import Column

FLOAT = Column(name="power", type="float", unit="hp", minimum=20, maximum=500, nullable=True)
INTEGER = Column(name="weight", type="integer", minimum=0)
TEXT = Column(name="name", type="string")
COLOUR = Column(name="colour", type="category", categories=("red", "green"))
INVALID = Invalid.TYPE


@pytest.mark.parametrize(
    ("column", "text", "value"),
    [
        (FLOAT, "12", 12.0),
        (FLOAT, " -1.5e2 ", -150.0),
        (FLOAT, ".5", 0.5),
        (FLOAT, "", None),
        (FLOAT, "NaN", INVALID),
        (FLOAT, "Infinity", INVALID),
        (FLOAT, "-inf", INVALID),
        (FLOAT, "1e999", INVALID),
        (FLOAT, "1_000", INVALID),
        (FLOAT, "1,5", INVALID),
        (FLOAT, "١٢", INVALID),
        (FLOAT, "0x10", INVALID),
        (FLOAT, "NA", INVALID),
        (FLOAT, "true", INVALID),
        (INTEGER, "12", 12),
        (INTEGER, "12.0", 12),
        (INTEGER, "12.5", INVALID),
        (INTEGER, str(2**53 + 1), 2**53 + 1),
        (INTEGER, str(2**63), INVALID),
        (INTEGER, "9" * 400, INVALID),
        (TEXT, "12", "12"),
        (TEXT, "", None),
        (COLOUR, "blue", "blue"),
    ],
)
def test_cells_of_text(column, text, value):
    found = read_cell(column, text, text=True)

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("column", "given_value", "value"),
    [
        (FLOAT, 12, 12.0),
        (FLOAT, Decimal("1.25"), 1.25),
        (FLOAT, float("nan"), INVALID),
        (FLOAT, float("-inf"), INVALID),
        (FLOAT, "12", INVALID),
        (FLOAT, True, INVALID),
        (FLOAT, None, None),
        (FLOAT, [1], INVALID),
        (FLOAT, 10**400, INVALID),
        (INTEGER, 12.0, 12),
        (INTEGER, 12.5, INVALID),
        (INTEGER, 2**63 - 1, 2**63 - 1),
        (TEXT, 12, INVALID),
        (TEXT, "", ""),
        (TEXT, "\ud800", INVALID),
        (TEXT, {"a": 1}, INVALID),
    ],
)
def test_cells_that_have_a_type(column, given_value, value):
    found = read_cell(column, given_value, text=False)

    assert found == value
    assert type(found) is type(value)


@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_written_in_full_is_read_back(number):
    assert read_cell(FLOAT, repr(number), text=True) == number


@settings(deadline=None)
@given(st.text())
def test_no_text_breaks_a_number_column(text):
    found = read_cell(INTEGER, text, text=True)

    assert found is None or found is INVALID or isinstance(found, int)
