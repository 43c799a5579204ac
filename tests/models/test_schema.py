"""The sections of a specification."""

from models.schema import Column


def test_the_words_for_what_a_column_takes() -> None:
    power = Column(name="power", type="float", unit="hp", minimum=20, maximum=500, nullable=True)
    assert power.expectation == "a number from 20 to 500 hp, or nothing"
    assert Column(name="weight", type="integer", minimum=0).expectation == "a whole number of at least 0"
    assert Column(name="age", type="float", maximum=9).expectation == "a number of at most 9"
    assert Column(name="name", type="string").expectation == "text"
    assert Column(name="colour", type="category", categories=("red", "green")).expectation == "one of red, green"
    many = Column(name="n", type="category", categories=tuple(f"c{i}" for i in range(12)))
    assert many.expectation.endswith("c9 and 2 more")
