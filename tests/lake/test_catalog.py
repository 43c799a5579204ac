"""The tables as the catalog holds them."""

from datetime import UTC, datetime

import boto3
import pytest
from botocore.credentials import RefreshableCredentials
from pyiceberg.exceptions import CommitFailedException

from lake.catalog import Lake, LakeLocation, file_properties
from lake.errors import LakeError
from models.schema import Column
from tests.lake.conftest import with_text_for_weight

# Against a whole lake on a moto server; test_ingest.py is the fast one of these.
pytestmark = pytest.mark.slow


def test_the_files_are_reached_as_the_process_reaches_aws(aws):
    assert file_properties(boto3.Session()) == {
        "s3.region": "eu-west-1",
        "s3.endpoint": aws,
        "s3.access-key-id": "test",
        "s3.secret-access-key": "test",
        "s3.session-token": "of a role",
    }


def test_credentials_that_the_machine_renews_are_not_copied(monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    session = boto3.Session(region_name="eu-west-1")
    renewed = RefreshableCredentials("key", "secret", "token", datetime(2100, 1, 1, tzinfo=UTC), dict, "container-role")
    monkeypatch.setattr(session, "get_credentials", lambda: renewed)

    assert file_properties(session) == {"s3.region": "eu-west-1"}


def test_a_private_endpoint_is_used_for_the_files_too(monkeypatch):
    url = "https://bucket.vpce-1a2b3c4d-5e6f.s3.eu-west-1.vpce.amazonaws.com"
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", url)

    assert file_properties(boto3.Session("k", "s", region_name="eu-west-1"))["s3.endpoint"] == url


def test_tables_are_made_on_first_use_in_the_warehouse(place):
    curated, quarantine = place.lake.curated(place.spec), place.lake.quarantine(place.spec)

    database = place.location.curated_database
    assert curated.location() == f"{place.location.warehouse}{database}/auto_mpg"
    assert quarantine.location() == f"{place.location.warehouse}{place.location.quarantine_database}/auto_mpg"
    assert curated.format_version == 2
    described = place.session.client("glue").get_table(DatabaseName=database, Name="auto_mpg")["Table"]
    assert described["Parameters"]["table_type"] == "ICEBERG"
    columns = {column["Name"]: column for column in described["StorageDescriptor"]["Columns"]}
    assert list(columns)[-4:] == ["_object", "_etag", "_line", "_ingested_at"]
    assert columns["mpg"]["Type"] == "double"
    assert columns["mpg"]["Comment"] == "fuel economy (mi/gal)"


def test_everything_written_lies_inside_the_table(place, car, csv_of):
    place.land("auto-mpg/a.csv", csv_of(car, car | {"mpg": None}))
    place.ingest()

    bucket = place.location.warehouse.split("/")[2]
    keys = [entry["Key"] for entry in place.s3.list_objects_v2(Bucket=bucket)["Contents"]]
    folders = (place.location.curated_database, place.location.quarantine_database)
    assert keys
    assert all(key.startswith(tuple(f"warehouse/{folder}/auto_mpg/" for folder in folders)) for key in keys)


def test_no_file_is_asked_for_before_it_is_written(place, car, csv_of, monkeypatch):
    def forbid(self):
        raise PermissionError("S3 answers 403 for a missing key to a role that may list only some prefixes")

    monkeypatch.setattr("pyiceberg.io.pyarrow.PyArrowFile.exists", forbid)
    place.land("auto-mpg/a.csv", csv_of(car, car | {"mpg": None}))

    result = place.ingest()

    assert (result.rows_added, result.rows_quarantined) == (1, 1)


def test_a_database_that_does_not_exist_is_named(place):
    location = LakeLocation(
        warehouse=place.location.warehouse, curated_database="nowhere", quarantine_database="nowhere"
    )

    with pytest.raises(
        LakeError, match="there is no Glue database 'nowhere' for the table 'auto_mpg'; apply the program"
    ):
        Lake(place.session, location).curated(place.spec)


def test_two_that_make_the_same_table_get_the_same_table(place, monkeypatch):
    first = place.lake.curated(place.spec)
    late = Lake(place.session, place.location)
    answers = iter([None])
    found = late._find
    monkeypatch.setattr(late, "_find", lambda *name: next(answers, found(*name)))

    assert late.curated(place.spec).metadata.table_uuid == first.metadata.table_uuid


def test_a_new_column_widens_the_table_and_old_rows_have_none(place, car, csv_of):
    place.land("auto-mpg/a.csv", csv_of(car))
    place.ingest()
    doors = Column(name="doors", type="integer", nullable=True)
    place.spec = place.spec.model_copy(update={"columns": (*place.spec.columns, doors)})
    place.land("auto-mpg/b.csv", csv_of(car | {"weight": 3000, "doors": 4}))

    assert place.ingest().rows_added == 1

    assert sorted((row["weight"], row["doors"]) for row in place.curated()) == [(2542, None), (3000, 4)]


def test_a_column_of_another_type_is_refused(place):
    place.lake.curated(place.spec)
    changed = with_text_for_weight(place.spec)

    with pytest.raises(LakeError, match=r"column 'weight' is string in model.toml but long in the table curated_\d+"):
        place.lake.curated(changed)


def test_a_commit_whose_answer_was_lost_is_not_taken_for_a_failure(place, car, csv_of, monkeypatch):
    plain = type(place.lake._catalog)._update_glue_table

    def lose_the_answer(self, **arguments):
        plain(self, **arguments)
        raise CommitFailedException("Glue sees the update that the SDK sends again")

    monkeypatch.setattr(type(place.lake._catalog), "_update_glue_table", lose_the_answer)
    place.land("auto-mpg/a.csv", csv_of(car))

    assert place.ingest().rows_added == 1

    monkeypatch.undo()
    assert len(place.curated()) == 1
    assert len(place.lake.curated(place.spec).snapshots()) == 1


@pytest.mark.parametrize("parameters", [{}, {"classification": "csv"}, {"table_type": "HUDI"}])
def test_a_table_of_glue_that_is_not_iceberg_is_named(place, parameters):
    database = place.location.curated_database
    table = {"Name": "landed", "Parameters": parameters, "StorageDescriptor": {"Columns": []}}
    place.session.client("glue").create_table(DatabaseName=database, TableInput=table)

    with pytest.raises(LakeError, match=f"the table {database}.landed cannot be read as an Iceberg table"):
        place.lake.find(f"{database}.landed")
