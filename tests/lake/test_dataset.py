"""What the training job gets."""

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lake.dataset import check, export_dataset, split
from lake.errors import DatasetError, LakeError
from lake.snapshots import rows_at
from models.auto_mpg.source import fetch
from models.rows import split_of
from models.schema import DataChecks

# Against a whole lake on a moto server; test_ingest.py is the fast one of these.
pytestmark = pytest.mark.slow

FILES = ("dataset.json", "test.parquet", "train.parquet", "validation.parquet")


def exported(place, snapshot_id, folder):
    where = f"s3://{place.landing}/exports/{folder}"
    result = export_dataset(s3=place.s3, lake=place.lake, spec=place.spec, snapshot_id=snapshot_id, export=where)
    listed = place.s3.list_objects_v2(Bucket=place.landing, Prefix=f"exports/{folder}/")["Contents"]
    files = {
        entry["Key"].rsplit("/", 1)[1]: place.s3.get_object(Bucket=place.landing, Key=entry["Key"])["Body"].read()
        for entry in listed
    }
    return result, files


def test_the_cars_are_split_by_key_and_exported(place):
    place.land("auto-mpg/cars.csv", fetch())
    snapshot = place.ingest().snapshot_id

    result, files = exported(place, snapshot, "one")

    assert tuple(sorted(files)) == FILES
    assert json.loads(files["dataset.json"]) == {
        "model": "auto-mpg",
        "table": f"{place.location.curated_database}.auto_mpg",
        "snapshot_id": snapshot,
        "rows": 398,
        "spec_digest": place.spec.digest,
    }
    assert (result.rows, result.export) == (398, f"s3://{place.landing}/exports/one/")
    sizes = {"train": result.train_rows, "validation": result.validation_rows, "test": result.test_rows}
    assert sum(sizes.values()) == 398
    for side, size in sizes.items():
        part = pq.read_table(io.BytesIO(files[f"{side}.parquet"]))
        assert part.num_rows == size
        assert part.column_names == [column.name for column in place.spec.columns]
        keys = zip(*(part.column(name).to_pylist() for name in place.spec.key), strict=True)
        assert {split_of(place.spec.split, key) for key in keys} == {side}
    assert all(item.passed for item in result.checks)


def test_the_same_version_gives_the_same_bytes_even_after_more_came_in(place, car, csv_of):
    place.land("auto-mpg/cars.csv", fetch())
    snapshot = place.ingest().snapshot_id
    _, before = exported(place, snapshot, "one")
    place.land("auto-mpg/more.csv", csv_of(car | {"name": "newcomer"}))
    newer = place.ingest().snapshot_id

    assert exported(place, snapshot, "two")[1] == before
    assert exported(place, newer, "three")[1] != before


def test_the_order_of_arrival_does_not_change_the_bytes(place):
    header, *lines = fetch().splitlines(keepends=True)
    place.land("auto-mpg/cars.csv", header + b"".join(reversed(lines)))
    first = place.ingest().snapshot_id
    _, one = exported(place, first, "one")
    place.lake._catalog.drop_table((place.location.curated_database, "auto_mpg"))
    place.land("auto-mpg/1.csv", header + b"".join(lines[200:]))
    place.ingest("auto-mpg/1.csv")
    place.land("auto-mpg/2.csv", header + b"".join(lines[:200]))
    second = place.ingest("auto-mpg/2.csv").snapshot_id
    _, two = exported(place, second, "two")

    for name in FILES[1:]:
        assert one[name] == two[name]


def test_every_check_that_fails_is_told_and_nothing_is_written(place, car, csv_of):
    place.land("auto-mpg/a.csv", csv_of(*(car | {"weight": 2000 + n, "horsepower": None} for n in range(30))))
    snapshot = place.ingest().snapshot_id

    with pytest.raises(DatasetError) as failure:
        exported(place, snapshot, "one")

    message = str(failure.value)
    assert f"model auto-mpg, version {snapshot}: rows: 30, expected at least 200" in message
    assert "horsepower nulls: 30 of 30 rows are null (100.0%), expected at most 5.0%" in message
    assert "mpg varies: 1 distinct values in the training rows, expected at least 2" in message
    assert "KeyCount" in place.s3.list_objects_v2(Bucket=place.landing, Prefix="exports/")
    assert place.s3.list_objects_v2(Bucket=place.landing, Prefix="exports/")["KeyCount"] == 0


@pytest.mark.parametrize(
    ("snapshot_id", "export", "message"),
    [
        ("", "s3://b/e/", "no version to export; every row so far was refused"),
        ("17", "s3://b/e/", "has no version '17'"),
        (None, "file:///tmp/e", "expected s3://bucket/key"),
    ],
)
def test_what_was_asked_for_wrongly_is_told(place, snapshot_id, export, message):
    place.land("auto-mpg/cars.csv", fetch())
    newest = place.ingest().snapshot_id

    with pytest.raises(LakeError, match=message):
        export_dataset(
            s3=place.s3,
            lake=place.lake,
            spec=place.spec,
            snapshot_id=newest if snapshot_id is None else snapshot_id,
            export=export,
        )


def test_keys_that_repeat_fail_the_check(spec, car):
    checked = spec.model_copy(update={"data": DataChecks(minimum_rows=1)})
    rows = pa.Table.from_pylist([car, car])

    failed = {item.name: item.detail for item in check(checked, rows, split(checked, rows)) if not item.passed}

    assert failed["unique keys"] == "1 keys in 2 rows, expected as many"


def test_the_whole_of_the_real_data_passes(place):
    place.land("auto-mpg/cars.csv", fetch())
    place.ingest()
    rows = rows_at(place.lake, place.spec)

    names = [item.name for item in check(place.spec, rows, split(place.spec, rows))]

    assert names[:4] == ["rows", "train rows", "validation rows", "test rows"]
    assert names[-2:] == ["unique keys", "mpg varies"]
