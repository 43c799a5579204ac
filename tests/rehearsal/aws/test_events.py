"""An object put into a bucket starts the state machine, and what cannot be delivered is kept."""

import json
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.slow


class Bus:
    """A bucket that tells EventBridge, a state machine that passes its input on, and a rule between them."""

    def __init__(self, account: Any) -> None:
        self.account = account
        self.s3, self.events = account.client("s3"), account.client("events")
        self.states, self.sqs = account.client("stepfunctions"), account.client("sqs")
        self.bucket = account.bucket("landing")
        self.s3.put_bucket_notification_configuration(
            Bucket=self.bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
        definition = {"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": True}}}
        self.machine = self.states.create_state_machine(
            name="cars", definition=json.dumps(definition), roleArn=account.role("pipeline")
        )["stateMachineArn"]
        self.queue = self.sqs.create_queue(QueueName="dead")["QueueUrl"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=["QueueArn"])["Attributes"]
        self.dead = attributes["QueueArn"]

    def rule(self, machine: str, role: str) -> None:
        pattern = {
            "source": ["aws.s3"],
            "detail-type": ["Object Created"],
            "detail": {"bucket": {"name": [self.bucket]}, "object": {"key": [{"prefix": "auto-mpg/"}]}},
        }
        self.events.put_rule(Name="new-data", EventPattern=json.dumps(pattern), State="ENABLED")
        target = {
            "Id": "pipeline",
            "Arn": machine,
            "RoleArn": role,
            "InputTransformer": {
                "InputPathsMap": {"key": "$.detail.object.key"},
                "InputTemplate": '{"prefix": "<key>"}',
            },
            "DeadLetterConfig": {"Arn": self.dead},
        }
        self.events.put_targets(Rule="new-data", Targets=[target])

    def executions(self) -> list[Any]:
        return self.states.list_executions(stateMachineArn=self.machine)["executions"]

    def dead_letters(self) -> list[Any]:
        return self.sqs.receive_message(QueueUrl=self.queue, MessageAttributeNames=["All"]).get("Messages", [])


def test_a_new_object_starts_an_execution(account: Any, eventually: Callable[..., Any]) -> None:
    bus = Bus(account)
    bus.rule(bus.machine, account.role("events"))
    bus.events.put_rule(Name="nightly", ScheduleExpression="rate(1 day)", State="ENABLED")
    bus.events.put_targets(
        Rule="nightly", Targets=[{"Id": "pipeline", "Arn": bus.machine, "RoleArn": account.role("events")}]
    )
    bus.s3.put_object(Bucket=bus.bucket, Key="elsewhere/a.csv", Body=b"1")
    bus.s3.put_object(Bucket=bus.bucket, Key="auto-mpg/a.csv", Body=b"1")
    eventually(lambda: [found["status"] for found in bus.executions()] == ["SUCCEEDED"])
    (found,) = bus.executions()
    assert len(found["name"]) == 73, "two UUIDs, as EventBridge names executions: too long for a training job's name"
    described = bus.states.describe_execution(executionArn=found["executionArn"])
    assert json.loads(described["input"]) == {"prefix": "auto-mpg/a.csv"}
    assert bus.dead_letters() == []


@pytest.mark.parametrize(
    ("machine", "role", "code"),
    [("gone", "events", "RESOURCE_NOT_FOUND"), ("cars", "nobody", "NO_PERMISSIONS")],
)
def test_what_cannot_be_delivered_is_kept(account: Any, machine: str, role: str, code: str) -> None:
    bus = Bus(account)
    account.role("events")
    bus.rule(bus.machine.replace(":cars", f":{machine}"), f"arn:aws:iam::{account.account_id}:role/{role}")
    bus.s3.put_object(Bucket=bus.bucket, Key="auto-mpg/a.csv", Body=b"1")
    (letter,) = bus.dead_letters()
    assert letter["MessageAttributes"]["ERROR_CODE"]["StringValue"] == code
    assert letter["MessageAttributes"]["RULE_ARN"]["StringValue"].endswith(":rule/new-data")
    assert json.loads(letter["Body"])["detail"]["object"]["key"] == "auto-mpg/a.csv"
    assert bus.executions() == []


def test_an_event_put_by_hand_reaches_execution_and_queue(account: Any, eventually: Callable[..., Any]) -> None:
    bus = Bus(account)
    bus.events.put_rule(Name="own", EventPattern=json.dumps({"source": ["drivetrain-local"]}), State="ENABLED")
    targets = [
        {"Id": "pipeline", "Arn": bus.machine, "RoleArn": account.role("events")},
        {"Id": "queue", "Arn": bus.dead},
    ]
    bus.events.put_targets(Rule="own", Targets=targets)
    entry = {"Source": "drivetrain-local", "DetailType": "Release proposed", "Detail": '{"model": "auto-mpg"}'}
    assert bus.events.put_events(Entries=[entry])["FailedEntryCount"] == 0
    eventually(lambda: len(bus.executions()) == 1)
    described = bus.states.describe_execution(executionArn=bus.executions()[0]["executionArn"])
    assert json.loads(described["input"])["detail"] == {"model": "auto-mpg"}
    (message,) = bus.dead_letters()
    assert json.loads(message["Body"])["detail-type"] == "Release proposed"
