"""The sections of a specification."""

from typing import Any

import pytest
from pydantic import ValidationError

from models.schema import Column


def test_the_words_for_what_a_column_takes() -> None:
    power = Column(name="power", type="float", unit="hp", minimum=20, maximum=500, nullable=True)
    assert power.expectation == "a number from 20 to 500 hp, or nothing"
    assert Column(name="weight", type="integer", minimum=0).expectation == "a whole number of at least 0"
    assert Column(name="age", type="float", maximum=9).expectation == "a number of at most 9"
    wide = Column(name="time", type="integer", minimum=0.5, maximum=1234567, unit="s")
    assert wide.expectation == "a whole number from 0.5 to 1234567 s"
    assert Column(name="pull", type="float", unit="m/s²").expectation == "a number in m/s²"
    assert Column(name="parts", type="integer", nullable=True).expectation == "a whole number, or nothing"
    assert Column(name="name", type="string").expectation == "text"
    assert Column(name="colour", type="category", categories=("red", "green")).expectation == "one of red, green"
    many = Column(name="n", type="category", categories=tuple(f"c{i}" for i in range(12)))
    assert many.expectation.endswith("c9 and 2 more")


def test_an_image_says_its_size() -> None:
    picture = Column(name="picture", type="image", height=28, width=32, channels=1)
    assert picture.expectation == "an image of 32 × 28 pixels in grey"
    assert picture.shape == (1, 28, 32)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"channels": None}, "height, width and channels must be given"),
        ({"type": "string"}, "only for such a one"),
        ({"nullable": True}, "must not be nullable"),
        ({"channels": 2}, "1 or 3"),
    ],
)
def test_an_image_is_of_one_size(changes: dict[str, Any], says: str) -> None:
    picture: dict[str, Any] = {"name": "picture", "type": "image", "height": 28, "width": 32, "channels": 1}
    with pytest.raises(ValidationError, match=says):
        Column(**picture | changes)


def test_a_column_is_personal_only_where_it_says_so() -> None:
    assert Column(name="name", type="string", pii=True).pii
    assert not Column(name="name", type="string").pii


@pytest.mark.parametrize(
    ("settings", "value"),
    [
        ({"type": "float", "minimum": 1.0, "maximum": 4.0}, 2.5),
        ({"type": "integer", "minimum": 1.0, "maximum": 4.0}, 2),
        ({"type": "float", "minimum": 7.5}, 7.5),
        ({"type": "integer"}, 0),
        ({"type": "category", "categories": ["b", "a"]}, "b"),
        ({"type": "string"}, ""),
    ],
)
def test_a_stand_in_is_made_from_the_specification_alone(settings: dict[str, Any], value: object) -> None:
    stand_in = Column(name="x", **settings).stand_in
    assert (stand_in, type(stand_in)) == (value, type(value))
