"""An AWS of its own for these tests (moto, in this process), and in it a lake of its own for each test."""

import csv
import io
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import boto3
import pytest
from moto.glue.responses import GlueResponse
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

from lake.catalog import Lake, LakeLocation
from lake.ingest import IngestResult, ingest
from models.spec import ModelSpec, find_spec
from rehearsal.aws.gaps import glue_tables

_numbers = itertools.count(1)


def with_text_for_weight(spec: ModelSpec) -> ModelSpec:
    """The specification with another type for a column that the table has already."""
    columns = tuple(
        column.model_copy(update={"type": "string", "minimum": None, "maximum": None})
        if column.name == "weight"
        else column
        for column in spec.columns
    )
    return spec.model_copy(update={"columns": columns})


@dataclass
class Place:
    """A landing bucket and a lake, as the program makes them for a stack."""

    session: boto3.Session
    spec: ModelSpec
    landing: str
    location: LakeLocation
    now: datetime = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    lake: Lake = field(init=False)

    def __post_init__(self) -> None:
        self.s3 = self.session.client("s3")
        self.lake = Lake(self.session, self.location)

    def land(self, key: str, body: bytes) -> str:
        self.s3.put_object(Bucket=self.landing, Key=key, Body=body)
        return f"s3://{self.landing}/{key}"

    def ingest(self, prefix: str = "auto-mpg/") -> IngestResult:
        return ingest(s3=self.s3, lake=self.lake, spec=self.spec, bucket=self.landing, prefix=prefix, now=self.now)

    def curated(self) -> list[dict[str, Any]]:
        table = self.lake.find_curated(self.spec)
        return [] if table is None else table.scan().to_arrow().to_pylist()

    def quarantined(self) -> list[dict[str, Any]]:
        table = self.lake.find_quarantine(self.spec)
        rows = [] if table is None else table.scan().to_arrow().to_pylist()
        return sorted(rows, key=lambda row: (row["object"], row["line"]))


@pytest.fixture(scope="session")
def aws() -> Iterator[str]:
    """The URL of the server; the process's environment is that of a job in it."""
    with pytest.MonkeyPatch.context() as patch:
        # Without Glue's optimistic lock, of two commits at once the second would silently undo the first.
        patch.setattr(GlueResponse, "update_table", glue_tables.update_table)
        patch.setattr(GlueResponse, "create_table", glue_tables.create_table)
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        url = f"http://{host}:{port}"
        for name in ("AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_ENDPOINT_URL", url)
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_SESSION_TOKEN", "of a role")
        patch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield url
        server.stop()


@pytest.fixture(scope="session")
def spec() -> ModelSpec:
    return find_spec(files("models"), "auto-mpg")


@pytest.fixture(scope="session")
def session(aws: str) -> boto3.Session:
    """One for all, as each reads the descriptions of the services anew."""
    return boto3.Session()


@pytest.fixture
def place(session: boto3.Session, spec: ModelSpec) -> Place:
    number = next(_numbers)
    location = LakeLocation(
        warehouse=f"s3://lake-{number}/warehouse/",
        curated_database=f"curated_{number}",
        quarantine_database=f"quarantine_{number}",
        predictions_database=f"predictions_{number}",
    )
    s3, glue = session.client("s3"), session.client("glue")
    for bucket in (f"landing-{number}", f"lake-{number}"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    for database in (location.curated_database, location.quarantine_database, location.predictions_database):
        glue.create_database(DatabaseInput={"Name": database})
    return Place(session=session, spec=spec, landing=f"landing-{number}", location=location)


@pytest.fixture
def car() -> dict[str, Any]:
    """A car that is right in every column."""
    return {
        "name": "vega",
        "mpg": 25.0,
        "cylinders": 4,
        "displacement": 140.0,
        "horsepower": 75.0,
        "weight": 2542,
        "acceleration": 17.0,
        "model_year": 1974,
        "origin": "USA",
    }


@pytest.fixture
def csv_of() -> Callable[..., bytes]:
    """Cars as a CSV object, as a producer writes it."""

    def write(*cars: dict[str, Any], end: str = "\n") -> bytes:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator=end)
        writer.writerow(cars[0])
        writer.writerows([["" if value is None else value for value in car.values()] for car in cars])
        return text.getvalue().encode()

    return write
