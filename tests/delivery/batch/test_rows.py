"""Rows of objects: with or without the target, and each bad one kept with its reason."""

import csv
import io
import json
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from delivery.batch.rows import Input, rows_of_objects
from lake.errors import LakeError
from models.schema import Column
from models.spec import ModelSpec, find_spec

HEADER = "name,cylinders,displacement,horsepower,weight,acceleration,model_year,origin"
GOOD = "vega,4,140,,2542,17,1974,USA"


class Pages:
    def __init__(self, entries: list[dict[str, Any]]) -> None:
        self.entries = entries

    def paginate(self, **request: Any) -> list[dict[str, Any]]:
        return [{"Contents": [entry for entry in self.entries if entry["Key"].startswith(request["Prefix"])]}]


class Storage:
    """An S3 of objects by key."""

    def __init__(self, **objects: str) -> None:
        self.objects = {key.replace("_", "."): text.encode() for key, text in objects.items()}

    def get_paginator(self, name: str) -> Pages:
        when = datetime(2026, 1, 1, tzinfo=UTC)
        return Pages(
            [
                {"Key": key, "ETag": f'"{len(body)}"', "Size": len(body), "LastModified": when}
                for key, body in self.objects.items()
            ]
        )

    def get_object(self, *, Bucket: str, Key: str, IfMatch: str) -> dict[str, Any]:
        return {"Body": io.BytesIO(self.objects[Key])}


@pytest.fixture(scope="module")
def spec() -> ModelSpec:
    return find_spec(files("models"), "auto-mpg")


def read(spec: ModelSpec, uri: str = "s3://b/a.csv", **objects: str) -> Input:
    storage: Any = Storage(**objects)
    return rows_of_objects(spec, storage, uri)


def test_a_row_has_features_key_and_place(spec: ModelSpec) -> None:
    (row,) = read(spec, a_csv=f"{HEADER}\n{GOOD}\n").rows
    assert row.features == (4, 140.0, None, 2542, 17.0, 1974, "USA")
    assert row.key == ("vega", 1974, 2542)
    assert (row.source, row.row) == ("s3://b/a.csv", 2)


def test_the_target_may_be_there_and_is_not_looked_at(spec: ModelSpec) -> None:
    with_target = read(spec, a_csv=f"{HEADER},mpg\n{GOOD},25\n{GOOD},nonsense\n")
    assert len(with_target.rows) == 2
    assert with_target.rejects == ()


def written(form: str, records: list[dict[str, Any]]) -> bytes:
    """The `records`, of which the first has every field, as an object of that format."""
    if form == "jsonl":
        return "\n".join(map(json.dumps, records)).encode()
    if form == "parquet":
        file = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(records), file)  # pyright: ignore[reportUnknownMemberType] pyarrow's stubs
        return file.getvalue()
    text = io.StringIO(newline="")
    lines = csv.DictWriter(text, list(records[0]))
    lines.writeheader()
    lines.writerows(records)
    return text.getvalue().encode()


VEGA = {"name": "vega", "cylinders": 4, "displacement": 140.0, "horsepower": 90.0, "weight": 2542}
VEGA |= {"acceleration": 17.0, "model_year": 1974, "origin": "USA"}


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("beside", [{}, {"mpg": 25.0}, {"note": "blue"}, {"mpg": 25.0, "note": "blue"}])
def test_no_format_needs_what_is_not_predicted_from(spec: ModelSpec, form: str, beside: dict[str, Any]) -> None:
    noted = spec.model_copy(update={"columns": (*spec.columns, Column(name="note", type="string"))})
    storage: Any = Storage()
    storage.objects = {f"a.{form}": written(form, [{**VEGA, **beside}] * 2)}
    found = rows_of_objects(noted, storage, f"s3://b/a.{form}")
    assert found.rejects == ()
    assert [(row.key, row.features[-1]) for row in found.rows] == [(("vega", 1974, 2542), "USA")] * 2


def test_lines_with_a_target_and_without_may_be_mixed(spec: ModelSpec) -> None:
    lines = [VEGA, {**VEGA, "mpg": 25.0}, {**VEGA, "mpgs": 25.0}]
    found = read(spec, "s3://b/a.jsonl", a_jsonl="\n".join(map(json.dumps, lines)))
    assert [row.row for row in found.rows] == [1, 2]
    (reject,) = found.rejects
    assert reject.row == 3
    assert reject.reason == f"mpgs: unknown, did you mean mpg?; expected the fields {HEADER.replace(',', ', ')}"


def test_bad_rows_are_kept_with_their_reason(spec: ModelSpec) -> None:
    found = read(spec, a_csv=f"{HEADER}\n{GOOD.replace('USA', 'Mars')}\n{GOOD}\nshort\n")
    assert [(each.row, each.fields) for each in found.rejects] == [(2, ("origin",)), (4, ())]
    assert "expected one of USA, Europe, Japan, got 'Mars'" in found.rejects[0].reason
    assert len(found.rows) == 1


def test_an_object_that_cannot_be_read_is_one_reject(spec: ModelSpec) -> None:
    found = read(spec, "s3://b/in/", **{"in/a_csv": f"{HEADER}\n{GOOD}\n", "in/b_csv": "weight\n1\n"})
    assert [(each.source, each.row) for each in found.rejects] == [("s3://b/in/b.csv", 0)]
    assert "cylinders: missing" in found.rejects[0].reason
    assert len(found.rows) == 1


def test_nothing_there_is_an_error(spec: ModelSpec) -> None:
    with pytest.raises(LakeError, match=r"no object at s3://b/c\.csv"):
        read(spec, "s3://b/c.csv", a_csv="x")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "origin: an empty text reaches the model as nothing in a batch"),
        (
            "two\nlines",
            r"origin: a line break ends the record in a batch; expected a text of one line, got 'two\nlines'",
        ),
        ("two\rlines", "origin: a line break ends the record"),
    ],
)
def test_a_text_that_a_line_of_csv_cannot_carry_is_refused(spec: ModelSpec, text: str, reason: str) -> None:
    wider = tuple(
        column.model_copy(update={"categories": ("USA", text)}) if column.name == "origin" else column
        for column in spec.columns
    )
    cells = {"name": "vega", "cylinders": 4, "displacement": 140, "horsepower": None, "weight": 2542}
    cells |= {"acceleration": 17, "model_year": 1974, "mpg": 25}
    lines = [json.dumps({**cells, "origin": origin}) for origin in ("USA", text)]
    found = read(spec.model_copy(update={"columns": wider}), "s3://b/a.jsonl", a_jsonl="\n".join(lines))
    assert [row.features[-1] for row in found.rows] == ["USA"]
    (reject,) = found.rejects
    assert (reject.row, reject.fields) == (2, ("origin",))
    assert reject.reason.startswith(reason)
    assert json.loads(reject.raw)["origin"] == text
