"""Rows into parts and answers back by number, and a job that is waited for."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from delivery.batch import transform
from delivery.batch.transform import BatchError, TransformArgs, parts, predictions, served_model, start, wait


class SageMaker:
    """Answers DescribeTransformJob with one status after the other, and keeps what it was asked."""

    def __init__(self, *jobs: dict[str, Any]) -> None:
        self.jobs = list(jobs)
        self.asked: dict[str, Any] = {}
        self.stopped: list[str] = []

    def describe_transform_job(self, *, TransformJobName: str) -> dict[str, Any]:
        job = self.jobs.pop(0)
        if "raise" in job:
            raise KeyboardInterrupt
        return job

    def stop_transform_job(self, *, TransformJobName: str) -> None:
        self.stopped.append(TransformJobName)

    def create_transform_job(self, **request: Any) -> None:
        self.asked = request
        if request["ModelName"] == "refused":
            raise ClientError({"Error": {"Code": "ValidationException", "Message": "no"}}, "CreateTransformJob")


def args(**changes: Any) -> TransformArgs:
    fields: dict[str, Any] = {
        "name": "job-1",
        "model": "model-1",
        "input": "s3://b/in/",
        "output": "s3://b/out/",
        "instance_type": "ml.m5.large",
        "key": "arn:key",
        "volume_key": True,
        "tags": {"model": "cars"},
    }
    return TransformArgs(**{**fields, **changes})


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transform, "_POLL_S", 0)


def test_no_part_has_more_rows_or_bytes_than_the_container_takes() -> None:
    rows = [(4, None, "a,b"), (5, 1.5, "c"), (6, 2.5, "d")]
    assert list(parts(rows, most_rows=2, most_bytes=1000)) == [b'0,4,,"a,b"\n1,5,1.5,c\n', b"2,6,2.5,d\n"]
    assert len(list(parts(rows, most_rows=1000, most_bytes=12))) == 3
    assert list(parts([], most_rows=2, most_bytes=10)) == []


def test_answers_are_matched_by_number_whatever_their_order() -> None:
    assert predictions([b"1,2.5\n\n", b"0,1.5\n2,-3e2\n"], 3, "job") == [1.5, 2.5, -300.0]


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (b"0,1\n", "answered 1 of 2 rows; the first without is 1"),
        (b"0,1\n0,1\n", "row 0 twice"),
        (b"0,1\n7,1\n", "row 7 twice, or one that was not asked"),
        (b"0,1\n1\n", "answered '1'; expected row,number"),
        (b"0,1\n1,many\n", "expected row,number"),
    ],
)
def test_answers_that_do_not_fit_are_refused(output: bytes, message: str) -> None:
    with pytest.raises(BatchError, match=message):
        predictions([output], 2, "job")


def test_the_job_keeps_numbers_from_the_model_and_beside_the_prediction() -> None:
    sagemaker = SageMaker()
    start(sagemaker, args())
    assert sagemaker.asked["DataProcessing"] == {
        "InputFilter": "$[1:]",
        "JoinSource": "Input",
        "OutputFilter": "$[0,-1]",
    }
    assert sagemaker.asked["TransformOutput"]["KmsKeyId"] == "arn:key"
    assert sagemaker.asked["TransformResources"]["VolumeKmsKeyId"] == "arn:key"
    start(sagemaker, args(key=None))
    assert "KmsKeyId" not in sagemaker.asked["TransformOutput"]
    start(sagemaker, args(volume_key=False))
    assert "VolumeKmsKeyId" not in sagemaker.asked["TransformResources"]
    with pytest.raises(BatchError, match="job-1 was refused"):
        start(sagemaker, args(model="refused"))


def test_a_job_is_waited_for_and_what_changes_is_said_once() -> None:
    running = {"TransformJobStatus": "InProgress", "TransformStartTime": 1}
    sagemaker = SageMaker({"TransformJobStatus": "InProgress"}, running, running, {"TransformJobStatus": "Completed"})
    said: list[str] = []
    wait(sagemaker, "job-1", lambda: "1 of 2 parts", said.append)
    assert said == ["starting", "1 of 2 parts"]


def test_a_failed_job_says_why_and_an_interrupt_stops_it() -> None:
    failed = SageMaker({"TransformJobStatus": "Failed", "FailureReason": "ClientError: bad"})
    with pytest.raises(BatchError, match="job-1 is Failed: ClientError: bad; its log"):
        wait(failed, "job-1", str, lambda _line: None)
    interrupted = SageMaker({"raise": True})
    with pytest.raises(KeyboardInterrupt):
        wait(interrupted, "job-1", str, lambda _line: None)
    assert interrupted.stopped == ["job-1"]


def test_an_endpoint_that_is_not_there_is_said() -> None:
    class NoEndpoint:
        def describe_endpoint(self, *, EndpointName: str) -> dict[str, Any]:
            raise ClientError({"Error": {"Code": "ValidationException", "Message": "none"}}, "DescribeEndpoint")

    with pytest.raises(BatchError, match=r"endpoint cars serves no model .*drivetrain releases list"):
        served_model(NoEndpoint(), "cars")
