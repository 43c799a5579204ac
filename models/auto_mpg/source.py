"""Where the cars come from: the auto-MPG data that the PyPI package `vega_datasets` ships, as a producer would send it.

Source: Ramos, Donoho: the ASA Data Exposition dataset of 1983. 406 cars, 8 of them without fuel economy, 6 without
horsepower; both are left empty, for the lake to judge.
"""

import csv
import io
import json
from importlib import resources
from typing import Any

_COLUMNS = {
    "name": "Name",
    "mpg": "Miles_per_Gallon",
    "cylinders": "Cylinders",
    "displacement": "Displacement",
    "horsepower": "Horsepower",
    "weight": "Weight_in_lbs",
    "acceleration": "Acceleration",
    "model_year": "Year",
    "origin": "Origin",
}


def fetch() -> bytes:
    """The 406 cars as CSV (UTF-8, header line, `model_year` as a year, empty where a value is missing)."""
    cars: list[dict[str, Any]] = json.loads((resources.files("vega_datasets") / "_data" / "cars.json").read_text())
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for car in cars:
        row = {column: car[source] for column, source in _COLUMNS.items()}
        row["model_year"] = row["model_year"][:4]
        writer.writerow("" if value is None else value for value in row.values())
    return text.getvalue().encode()
