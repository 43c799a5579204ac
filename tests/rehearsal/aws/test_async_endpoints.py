"""Asynchronous endpoints answer into S3, as the role of the model, and tell a topic."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.rehearsal.aws.test_endpoints import Stage

pytestmark = pytest.mark.slow


class AsyncStage(Stage):
    """An asynchronous endpoint `cars`, and a queue that its topic fills."""

    def __init__(self, account: Any, folder: Path, eventually: Callable[..., Any]) -> None:
        super().__init__(account, folder, eventually)
        self.s3, self.sqs = account.client("s3"), account.client("sqs")
        topic = account.client("sns").create_topic(Name="answers")["TopicArn"]
        self.queue = self.sqs.create_queue(QueueName="answers")["QueueUrl"]
        arn = f"arn:aws:sqs:eu-west-1:{account.account_id}:answers"
        account.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        output = {
            "S3OutputPath": f"s3://{self.bucket}/async/answers/",
            "S3FailurePath": f"s3://{self.bucket}/async/failures/",
            "NotificationConfig": {"SuccessTopic": topic, "ErrorTopic": topic},
        }
        self.configuration(
            "first",
            {"weights.txt": "one"},
            AsyncInferenceConfig={
                "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 2},
                "OutputConfig": output,
            },
        )
        self.sagemaker.create_endpoint(EndpointName="cars", EndpointConfigName="first")
        assert self.settled()["AsyncInferenceConfig"]["OutputConfig"] == output

    def ask(self, key: str, content: bytes | None, **more: Any) -> Any:
        if content is not None:
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=content)
        return self.runtime.invoke_endpoint_async(
            EndpointName="cars",
            InputLocation=f"s3://{self.bucket}/{key}",
            ContentType="text/csv",
            Accept="application/json",
            **more,
        )

    def read(self, uri: str) -> bytes:
        key = uri.removeprefix(f"s3://{self.bucket}/")

        def look() -> Any:
            try:
                return self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
            except ClientError:
                return None

        return self.eventually(look)

    def told(self) -> dict[str, Any]:
        def look() -> Any:
            return self.sqs.receive_message(QueueUrl=self.queue, WaitTimeSeconds=1).get("Messages")

        (message,) = self.eventually(look)
        self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        return json.loads(json.loads(message["Body"])["Message"])


@pytest.fixture
def stage(account: Any, tmp_path: Path, eventually: Callable[..., Any]) -> AsyncStage:
    return AsyncStage(account, tmp_path, eventually)


def test_a_request_in_s3_is_answered_in_s3(stage: AsyncStage) -> None:
    asked = stage.ask("async/in.csv", b"1,2,3", InferenceId="mine")
    assert (asked["InferenceId"], asked["ResponseMetadata"]["HTTPStatusCode"]) == ("mine", 202)
    answer = json.loads(stage.read(asked["OutputLocation"]))
    assert (answer["weights"], answer["type"], answer["accept"], answer["size"]) == (
        "one",
        "text/csv",
        "application/json",
        5,
    )
    told = stage.told()
    assert (told["invocationStatus"], told["inferenceId"]) == ("Completed", "mine")
    assert told["responseParameters"]["outputLocation"] == asked["OutputLocation"]


def test_a_refused_request_is_a_failure_object(stage: AsyncStage) -> None:
    asked = stage.ask("async/bad.csv", b"bad")
    assert asked["FailureLocation"].startswith(f"s3://{stage.bucket}/async/failures/")
    assert stage.read(asked["FailureLocation"]) == b'{"error": "field mpg"}'
    assert stage.told()["invocationStatus"] == "Failed"
    missing = stage.ask("async/none.csv", None)
    assert b"The request cannot be read" in stage.read(missing["FailureLocation"])


def test_an_answer_may_be_named_and_a_request_may_come_inline(stage: AsyncStage) -> None:
    asked = stage.runtime.invoke_endpoint_async(
        EndpointName="cars", Body=b"1,2", ContentType="text/csv", S3OutputPathExtension="mine/", Filename="a.json"
    )
    assert asked["OutputLocation"] == f"s3://{stage.bucket}/async/answers/mine/a.json"
    assert json.loads(stage.read(asked["OutputLocation"]))["size"] == 3


def test_each_kind_of_endpoint_takes_its_own_call(stage: AsyncStage) -> None:
    with pytest.raises(ClientError, match="cars is asynchronous"):
        stage.invoke()
    stage.configuration("direct", {"weights.txt": "two"})
    stage.sagemaker.create_endpoint(EndpointName="boats", EndpointConfigName="direct")
    stage.settled("boats")
    with pytest.raises(ClientError, match="boats is not asynchronous"):
        stage.runtime.invoke_endpoint_async(EndpointName="boats", InputLocation=f"s3://{stage.bucket}/x")
    with pytest.raises(ClientError, match=r"trucks .*not found"):
        stage.runtime.invoke_endpoint_async(EndpointName="trucks", InputLocation=f"s3://{stage.bucket}/x")


def test_an_answer_that_the_role_may_not_write_is_told(stage: AsyncStage) -> None:
    stage.account.role("endpoint", allowed="sns:Publish")
    stage.ask("async/in.csv", b"1,2,3")
    told = stage.told()
    assert told["invocationStatus"] == "Failed"
    assert "AccessDenied" in told["failureReason"]
    assert stage.s3.list_objects_v2(Bucket=stage.bucket, Prefix="async/answers/").get("KeyCount") == 0
