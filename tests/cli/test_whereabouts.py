"""The example that is shown is a row of the model's own data, typed as the endpoint wants it."""

from pathlib import Path

import pytest

from cli.whereabouts import example_row
from models.spec import load_spec

SPEC = load_spec(Path("models") / "auto_mpg")
HEADER = "name,mpg,cylinders,displacement,horsepower,weight,acceleration,model_year,origin\n"


def test_the_first_complete_row_is_taken() -> None:
    body = f"{HEADER}a,1,4,97.5,,1835,20.5,1970,Europe\nb,,4,98,46,1835,20,1971,Japan\n".encode()
    row = example_row(SPEC, body)
    assert row == {
        "cylinders": 4,
        "displacement": 98.0,
        "horsepower": 46.0,
        "weight": 1835,
        "acceleration": 20.0,
        "model_year": 1971,
        "origin": "Japan",
    }
    assert isinstance(row["weight"], int)


def test_data_without_a_complete_row_are_said() -> None:
    with pytest.raises(ValueError, match="the data of auto-mpg hold no complete row"):
        example_row(SPEC, HEADER.encode())
