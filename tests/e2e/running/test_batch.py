"""Predictions for whole tables and files: every row lands in the table of predictions or among the refused, once."""

import json
from typing import Any

import boto3
import pytest

from lake.catalog import Lake, LakeLocation
from tests.e2e.checkout import Checkout

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
MODEL = "second-cars"
HEADER = "name,cylinders,displacement,horsepower,weight,acceleration,model_year,origin"


@pytest.fixture
def lake(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> Lake:
    for name, value in checkout.aws_environment().items():
        monkeypatch.setenv(name, value)
    names = checkout.names
    location = LakeLocation(
        warehouse=f"s3://{names.bucket('lake')}/warehouse/",
        curated_database=names.database("curated"),
        quarantine_database=names.database("quarantine"),
        predictions_database=names.database("predictions"),
    )
    return Lake(boto3.Session(region_name=names.region), location)


def predict(checkout: Checkout, *arguments: str) -> dict[str, Any]:
    done = checkout.drivetrain("predict", MODEL, "--json", "--batch", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def rows(lake: Lake, table: str) -> list[dict[str, Any]]:
    found = lake.find(table)
    assert found is not None
    return found.scan().to_arrow().to_pylist()


def test_the_curated_table_is_predicted_once(checkout: Checkout, lake: Lake) -> None:
    first = predict(checkout, "curated")
    assert (first["rows_read"], first["rows_predicted"], first["rows_rejected"]) == (398, 398, 0)
    again = predict(checkout, "curated")
    assert (again["rows_predicted"], again["rows_known"], again["job"]) == (0, 398, "")
    found = [row for row in rows(lake, first["table"]) if row["_source"].endswith(".second_cars")]
    assert len(found) == len({(row["name"], row["model_year"], row["weight"]) for row in found}) == 398
    assert {row["_release"] for row in found} == {first["release"]}
    assert {row["_version"] for row in found} == set(first["versions"])
    assert all(5 < row["prediction"] < 60 for row in found)
    bucket = checkout.names.bucket("artifacts")
    left = checkout.client("s3").list_objects_v2(Bucket=bucket, Prefix=f"batch-input/{MODEL}/")
    assert left["KeyCount"] == 0


def test_a_row_predicted_in_a_batch_is_predicted_alike_alone(checkout: Checkout, lake: Lake) -> None:
    table = predict(checkout, "curated")["table"]
    by_place = {row["_row"]: row for row in rows(lake, table) if row["_source"].endswith(".second_cars")}
    row = {"cylinders": 4, "displacement": 97.0, "horsepower": 88.0, "weight": 2130, "acceleration": 14.5}
    named = {**row, "model_year": 1970, "origin": "Japan"}
    done = checkout.drivetrain("predict", MODEL, "--json", "--row", json.dumps(named))
    (alone,) = json.loads(done.stdout)["predictions"]
    batched = [found for found in by_place.values() if (found["weight"], found["model_year"]) == (2130, 1970)]
    assert any(abs(found["prediction"] - alone) < 1e-3 for found in batched)


def test_files_are_predicted_and_bad_rows_are_listed_with_their_reason(checkout: Checkout, lake: Lake) -> None:
    bucket = checkout.names.bucket("lake")
    good, bad = "mine,4,120,90,2400,15,1975,Japan", "theirs,4,120,90,2400,15,1975,Mars"
    s3 = checkout.client("s3")
    s3.put_object(Bucket=bucket, Key="asked/cars.csv", Body=f"{HEADER}\n{good}\n{bad}\n".encode())
    found = predict(checkout, f"s3://{bucket}/asked/cars.csv")
    assert (found["rows_read"], found["rows_predicted"], found["rows_rejected"]) == (2, 1, 1)
    where, _, key = found["rejects"].removeprefix("s3://").partition("/")
    (reject,) = [json.loads(line) for line in s3.get_object(Bucket=where, Key=key)["Body"].read().splitlines()]
    assert (reject["row"], reject["fields"]) == (3, ["origin"])
    assert "expected one of USA, Europe, Japan, got 'Mars'" in reject["reason"]
    (row,) = [each for each in rows(lake, found["table"]) if each["name"] == "mine"]
    assert (row["_source"], row["_row"]) == (f"s3://{bucket}/asked/cars.csv", 2)


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("--batch", "no_such.table"), 1, "there is no table 'no_such.table'; expected curated, database.table"),
        (("--batch", "curated", "--snapshot", "5"), 1, "has no version '5'; the newest of 1 is"),
        (("--batch", "s3://no-such-bucket/x.csv"), 1, "cannot list s3://no-such-bucket/x.csv"),
        (("--batch", "curated", "--row", "{}"), 2, "give --row, --file or --batch, not several"),
        (("--snapshot", "5"), 2, "--snapshot is a version of the table that --batch names"),
    ],
)
def test_a_mistake_is_said_in_one_line(
    checkout: Checkout, arguments: tuple[str, ...], status: int, message: str
) -> None:
    done = checkout.drivetrain("predict", MODEL, *arguments)
    assert done.returncode == status
    assert message in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr
