"""A batch from start to end against an S3 and a SageMaker in memory: what is left behind, whatever happens."""

import io
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import pytest
from botocore.exceptions import ClientError

from delivery.batch import run, transform
from delivery.batch.run import Batch, BatchArgs, BatchResult
from delivery.batch.transform import BatchError
from infra.names import Names
from lake.errors import LakeError
from models.spec import ModelSpec, find_spec

HEADER = "name,cylinders,displacement,horsepower,weight,acceleration,model_year,origin"
GOOD = "vega,4,140,,2542,17,1974,USA"
LANDED = "asked/cars.csv"


def refused(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, operation)


class S3:
    """One bucket for all names."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {LANDED: f"{HEADER}\n{GOOD}\n".encode()}
        self.encryption: ClientError | None = None
        self.undeletable = False

    def get_paginator(self, name: str) -> "S3":
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> list[dict[str, Any]]:
        when = datetime(2026, 1, 1, tzinfo=UTC)
        found = [key for key in sorted(self.objects) if key.startswith(Prefix)]
        return [{"Contents": [{"Key": key, "ETag": '"1"', "Size": 1, "LastModified": when} for key in found]}]

    def get_object(self, *, Bucket: str, Key: str, IfMatch: str = "") -> dict[str, Any]:
        return {"Body": io.BytesIO(self.objects[Key])}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:
        self.objects[Key] = Body

    def delete_object(self, *, Bucket: str, Key: str) -> None:
        if self.undeletable:
            raise refused("AccessDenied", "DeleteObject")
        del self.objects[Key]

    def get_bucket_encryption(self, *, Bucket: str) -> dict[str, Any]:
        if self.encryption is not None:
            raise self.encryption
        rule = {"ApplyServerSideEncryptionByDefault": {"KMSMasterKeyID": "arn:key"}}
        return {"ServerSideEncryptionConfiguration": {"Rules": [rule]}}


class SageMaker:
    """Predicts 20 for every row, or fails as it is told."""

    def __init__(self, s3: S3) -> None:
        self.s3 = s3
        self.asked: dict[str, Any] = {}
        self.sent: dict[str, bytes] = {}
        self.fails: BaseException | str = ""

    def describe_endpoint(self, *, EndpointName: str) -> dict[str, Any]:
        return {"EndpointConfigName": "configuration"}

    def describe_endpoint_config(self, *, EndpointConfigName: str) -> dict[str, Any]:
        return {"ProductionVariants": [{"ModelName": "model-1"}]}

    def describe_model(self, *, ModelName: str) -> dict[str, Any]:
        return {"PrimaryContainer": {"Environment": {"RELEASE": "r1"}}}

    def create_transform_job(self, **request: Any) -> None:
        self.asked = request
        self.sent = {key: body for key, body in self.s3.objects.items() if key.startswith("batch-input/")}
        folder = request["TransformOutput"]["S3OutputPath"].split("/", 3)[3]
        for key, body in self.sent.items():
            numbers = [line.split(b",")[0] for line in body.splitlines()]
            self.s3.objects[f"{folder}{key.rpartition('/')[2]}.out"] = b"".join(each + b",20\n" for each in numbers)

    def describe_transform_job(self, *, TransformJobName: str) -> dict[str, Any]:
        if isinstance(self.fails, BaseException):
            raise self.fails
        if self.fails:
            return {"TransformJobStatus": "Failed", "FailureReason": self.fails}
        return {"TransformJobStatus": "Completed"}

    def stop_transform_job(self, *, TransformJobName: str) -> None:
        return


class Table:
    def name(self) -> tuple[str, str]:
        return "predictions", "auto_mpg"

    def current_snapshot(self) -> None:
        return None


class Lake:
    def __init__(self) -> None:
        self.fails = ""

    def predictions(self, spec: ModelSpec) -> Table:
        if self.fails:
            raise LakeError(self.fails)
        return Table()


class World:
    """What a run is given."""

    def __init__(self) -> None:
        self.s3, self.lake = S3(), Lake()
        self.sagemaker = SageMaker(self.s3)
        self.said: list[str] = []

    def client(self, service: str) -> Any:
        return {"s3": self.s3, "sagemaker": self.sagemaker}[service]

    def run(self) -> BatchResult:
        names = Names(project="drivetrain", stack="local", account_id="111111111111", region="eu-west-1")
        spec = find_spec(files("models"), "auto-mpg")
        given: Any = self
        args = BatchArgs(spec=spec, names=names, source=f"s3://b/{LANDED}", snapshot=None)
        return Batch(args, given, given.lake, self.said.append).run()

    def left(self) -> list[str]:
        """Folders of what is left in the bucket, but for what was there before."""
        return sorted({key.partition("/")[0] for key in self.s3.objects if key != LANDED})


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    def append(table: Table, spec: ModelSpec, rows: list[Any], **_: Any) -> int:
        return len(rows)

    monkeypatch.setattr(transform, "_POLL_S", 0)
    monkeypatch.setattr(run, "append_predictions", append)
    return World()


def test_a_run_leaves_no_part(world: World) -> None:
    assert world.run().rows_predicted == 1
    assert list(world.sagemaker.sent.values()) == [b"0,4,140.0,,2542,17.0,1974,USA\n"]
    assert world.left() == []


def test_a_failed_or_interrupted_job_leaves_no_rows(world: World) -> None:
    world.sagemaker.fails = "ClientError: bad"
    with pytest.raises(BatchError, match="is Failed: ClientError: bad"):
        world.run()
    assert world.sagemaker.sent
    assert "batch-input" not in world.left()
    world.sagemaker.fails = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        world.run()
    assert "batch-input" not in world.left()


def test_parts_that_cannot_be_removed_are_said_and_hide_nothing(world: World) -> None:
    world.s3.undeletable = True
    assert world.run().rows_predicted == 1
    assert ["AccessDenied" in line and "lifecycle expires" in line for line in world.said[-2:]] == [True, True]
    world.sagemaker.fails = "ClientError: bad"
    with pytest.raises(BatchError, match="is Failed: ClientError: bad"):
        world.run()


def test_a_table_that_takes_no_predictions_is_told_before_anything_is_written(world: World) -> None:
    world.s3.objects[LANDED] += GOOD.replace("USA", "Mars").encode() + b"\n"
    world.lake.fails = "column 'weight' is long in model.toml but string in the table"
    with pytest.raises(LakeError, match="column 'weight'"):
        world.run()
    assert world.sagemaker.asked == {}
    assert world.left() == []


def test_only_a_bucket_without_encryption_has_no_key(world: World) -> None:
    world.run()
    assert world.sagemaker.asked["TransformOutput"]["KmsKeyId"] == "arn:key"
    world.s3.encryption = refused("ServerSideEncryptionConfigurationNotFoundError", "GetBucketEncryption")
    world.run()
    assert "KmsKeyId" not in world.sagemaker.asked["TransformOutput"]
    world.sagemaker.asked = {}
    world.s3.encryption = refused("AccessDenied", "GetBucketEncryption")
    with pytest.raises(ClientError, match="AccessDenied"):
        world.run()
    assert world.sagemaker.asked == {}
    assert world.left() == []
