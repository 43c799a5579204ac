"""From landed objects to the tables: the real cars, every format, bad input, crashes and others at work."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.auto_mpg.source import fetch

ROOT = Path(__file__).parents[2]


def test_the_cars_are_taken_and_those_without_a_target_are_quarantined(place):
    uri = place.land("auto-mpg/cars.csv", fetch())

    result = place.ingest()

    assert (result.rows_read, result.rows_added, result.rows_unchanged, result.rows_quarantined) == (406, 398, 0, 8)
    assert result.snapshot_id
    rows = place.curated()
    assert len(rows) == 398
    assert {row["_object"] for row in rows} == {uri}
    assert {row["_ingested_at"] for row in rows} == {place.now}
    assert sum(row["horsepower"] is None for row in rows) == 6
    quarantined = place.quarantined()
    assert [row["reason"] for row in quarantined] == ["mpg: expected a number from 1 to 100 mi/gal, got nothing"] * 8
    assert quarantined[0] == {
        "object": uri,
        "etag": rows[0]["_etag"],
        "line": 12,
        "reason": "mpg: expected a number from 1 to 100 mi/gal, got nothing",
        "fields": "mpg",
        "raw": "citroen ds-21 pallas,,4,133,115,3090,17.5,1970,Europe",
        "ingested_at": place.now,
    }


def test_the_same_object_twice_adds_nothing(place):
    place.land("auto-mpg/cars.csv", fetch())
    first = place.ingest()

    second = place.ingest()

    assert (second.rows_added, second.rows_unchanged, second.rows_quarantined) == (0, 398, 0)
    assert second.snapshot_id == first.snapshot_id
    assert len(place.quarantined()) == 8


@pytest.mark.slow
def test_the_same_rows_in_another_object_add_nothing(place):
    place.land("auto-mpg/cars.csv", fetch())
    first = place.ingest()
    place.land("auto-mpg/copy.csv", fetch() + b"\n")

    second = place.ingest("auto-mpg/copy.csv")

    assert (second.rows_read, second.rows_added, second.rows_unchanged, second.rows_quarantined) == (406, 0, 398, 8)
    assert second.snapshot_id == first.snapshot_id
    third = place.ingest("auto-mpg/copy.csv")
    assert third == second
    assert len(place.quarantined()) == 16


def test_every_format_gives_the_same_rows(place, car, csv_of):
    cars = [car | {"weight": 2000 + number, "horsepower": None if number else 75.0} for number in range(3)]
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(cars), sink)
    place.land("auto-mpg/1.csv", csv_of(*cars))
    place.land("auto-mpg/2.jsonl", "\n".join(map(json.dumps, cars)).encode())
    place.land("auto-mpg/3.parquet", sink.getvalue())

    result = place.ingest()

    assert [(item.rows_added, item.rows_unchanged) for item in result.objects] == [(3, 0), (0, 3), (0, 3)]
    names = [column.name for column in place.spec.columns]
    assert sorted(([row[name] for name in names] for row in place.curated()), key=str) == sorted(
        (list(car.values()) for car in cars), key=str
    )


@pytest.mark.slow
def test_a_run_is_one_commit_however_many_objects(place, car, csv_of):
    for number in range(4):
        place.land(f"auto-mpg/{number}.csv", csv_of(car | {"weight": 2000 + number}, car | {"mpg": number - 10}))

    place.ingest()

    assert len(place.lake.curated(place.spec).snapshots()) == 1
    assert len(place.lake.quarantine(place.spec).snapshots()) == 1
    assert len(place.curated()) == len(place.quarantined()) == 4


BAD = {
    "missing column": ("a.csv", b"name,mpg\nvega,25\n", 0, "cylinders: missing"),
    "renamed column": ("a.csv", fetch().replace(b"mpg,", b"MPG,", 1), 0, "MPG: unknown, did you mean mpg?"),
    "empty": ("a.csv", b"", 0, "an empty object"),
    "header only": ("a.csv", fetch().splitlines()[0], 0, "a header without rows"),
    "binary garbage": ("a.csv", bytes(range(256)), 0, "binary content"),
    "unknown extension": ("a.xls", b"x", 0, "unknown extension '.xls'"),
    "truncated Parquet": ("a.parquet", b"PAR1\x15\x04", 0, "not readable as Parquet"),
    "malformed JSON line": ("a.jsonl", b'{"name": \n', 1, "no JSON"),
    "out of range": (
        "a.csv",
        b"\n".join([*fetch().splitlines()[:1], b"v,999,4,140,75,2542,17,1974,USA"]),
        2,
        "got '999'",
    ),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.slow
def test_what_is_not_right_goes_to_quarantine_and_the_rest_is_taken(place, car, csv_of, case):
    key, body, line, reason = BAD[case]
    uri = place.land(f"auto-mpg/{key}", body)
    place.land("auto-mpg/good.csv", csv_of(car))

    result = place.ingest()

    assert (result.rows_added, result.rows_quarantined, result.objects_refused) == (1, int(line > 0), int(line == 0))
    (quarantined,) = place.quarantined()
    assert (quarantined["object"], quarantined["line"]) == (uri, line)
    assert reason in quarantined["reason"]
    assert place.ingest().rows_added == 0
    assert len(place.quarantined()) == 1


def test_the_result_file_says_what_was_wrong_and_stays_small(place, car, csv_of):
    place.land("auto-mpg/0-bad.csv", csv_of(*({**car, "origin": "Mars", "weight": 2000 + n} for n in range(5))))
    for number in range(60):
        place.land(f"auto-mpg/{number + 1}.csv", csv_of(car | {"weight": 3000 + number}))
    place.land("auto-mpg/99-empty.csv", b"")

    told = place.ingest().to_dict()

    assert (told["objects_read"], len(told["objects"])) == (62, 50)
    empty, bad = told["objects"][:2]
    assert empty["refused"] == "an empty object, expected at least one row"
    assert bad["rows_quarantined"] == 5
    assert bad["examples"][0] == "line 2: origin: expected one of USA, Europe, Japan, got 'Mars'"
    assert len(bad["examples"]) == 3
    assert len(json.dumps(told)) < 100_000


@pytest.mark.slow
def test_a_key_with_other_values_is_quarantined_and_the_first_stays(place, car, csv_of):
    place.land("auto-mpg/a.csv", csv_of(car))
    place.ingest()
    place.land("auto-mpg/b.csv", csv_of(car | {"mpg": 26.0}, car | {"weight": 3000}))

    result = place.ingest()

    assert (result.rows_added, result.rows_unchanged, result.rows_quarantined) == (1, 1, 1)
    (quarantined,) = place.quarantined()
    assert "mpg: expected 25.0 as before, got 26.0; duplicate key name='vega'" in quarantined["reason"]
    assert {row["mpg"] for row in place.curated()} == {25.0}


def test_a_corrected_object_adds_the_rows_that_are_right_now(place, car, csv_of):
    place.land("auto-mpg/a.csv", csv_of(car, car | {"weight": 3000, "mpg": None}))
    assert place.ingest().rows_added == 1
    place.land("auto-mpg/a.csv", csv_of(car, car | {"weight": 3000}))

    corrected = place.ingest()

    assert (corrected.rows_added, corrected.rows_unchanged, corrected.rows_quarantined) == (1, 1, 0)


@pytest.mark.slow
def test_nothing_but_bad_rows_leaves_the_table_without_a_version(place, car, csv_of):
    place.land("auto-mpg/a.csv", csv_of(car | {"mpg": None}))

    result = place.ingest()

    assert (result.rows_quarantined, result.snapshot_id) == (1, "")


def test_a_crash_between_the_two_tables_is_put_right_by_the_next_run(place, monkeypatch):
    place.land("auto-mpg/cars.csv", fetch())

    def crash(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("lake.ingest._curated_rows", crash)
        with pytest.raises(KeyboardInterrupt):
            place.ingest()
    assert (len(place.curated()), len(place.quarantined())) == (0, 8)

    result = place.ingest()

    assert (result.rows_added, len(place.curated()), len(place.quarantined())) == (398, 398, 8)


WRITER = """
import sys
from datetime import UTC, datetime
from importlib.resources import files

import boto3

from lake.catalog import Lake, LakeLocation
from lake.ingest import ingest
from models.spec import find_spec

warehouse, curated, quarantine, bucket, prefix = sys.argv[1:]
session, spec = boto3.Session(), find_spec(files("models"), "auto-mpg")
location = LakeLocation(warehouse=warehouse, curated_database=curated, quarantine_database=quarantine)
lake, s3 = Lake(session, location), session.client("s3")
sys.stdin.readline()
print(ingest(s3=s3, lake=lake, spec=spec, bucket=bucket, prefix=prefix, now=datetime.now(UTC)).rows_added)
"""


@pytest.mark.slow
def test_ingests_at_once_lose_nothing_and_add_nothing_twice(place, car, csv_of):
    writers = 4
    for number in range(writers):
        own = [car | {"weight": 2000 + 10 * number + row} for row in range(5)]
        shared = [car | {"weight": 7000 + row} for row in range(5)]
        place.land(f"auto-mpg/{number}/cars.csv", csv_of(*own, *shared, car | {"mpg": None}))
    where = place.location
    arguments = [where.warehouse, where.curated_database, where.quarantine_database, place.landing]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, *arguments, f"auto-mpg/{number % writers}/"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(writers + 1)
    ]
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    added = [int(process.communicate(timeout=120)[0]) for process in processes]

    rows = place.curated()
    assert sum(added) == len(rows) == len({row["weight"] for row in rows}) == writers * 5 + 5
    assert len(place.quarantined()) == writers
