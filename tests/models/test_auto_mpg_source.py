"""The cars as their producer sends them."""

import csv
import io

from models.auto_mpg.source import fetch


def test_the_cars_are_what_the_literature_says() -> None:
    rows = list(csv.DictReader(io.StringIO(fetch().decode())))
    assert len(rows) == 406
    assert sum(row["mpg"] == "" for row in rows) == 8
    assert sum(row["horsepower"] == "" for row in rows) == 6
    assert len({tuple(row.items()) for row in rows}) == 406
    assert len(rows) - len({row["name"] for row in rows}) == 95
    assert {row["origin"] for row in rows} == {"USA", "Europe", "Japan"}
    assert len({(row["name"], row["model_year"], row["weight"]) for row in rows}) == 406
