"""What tells GitHub of a proposed release."""

import json
from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from infra.components.announcement import Announcement, AnnouncementArgs
from infra.platform_outputs import KeyOutputs
from infra.settings import GitHubSettings, load_settings
from infra.sources import project_directory
from rehearsal.aws.event_templates import transformed

_declared: list[Any] = []


@pytest.fixture
def program(run_program: Callable[..., Any]) -> Any:
    """The announcement of the stack dev, declared once."""

    def body() -> None:
        settings = load_settings(project_directory(), "dev")
        arn = pulumi.Output.from_input("arn:aws:made-up:::key")
        keys = KeyOutputs(data_arn=arn, logs_arn=arn, messages_arn=arn)
        args = AnnouncementArgs(
            settings=settings,
            github=GitHubSettings(repository="org/repo"),
            keys=keys,
            alarm_topic_arn="arn:aws:made-up:::alarms",
        )
        Announcement("announcement", args, pulumi.ResourceOptions())

    if not _declared:
        _declared.append(run_program(body, {}, "dev"))
    return _declared[0]


def test_a_proposed_release_dispatches_the_workflow(program: Any) -> None:
    rule = program.one("aws:cloudwatch/eventRule:EventRule", "release-proposed")
    assert json.loads(rule.inputs["eventPattern"]) == {
        "source": ["drivetrain-dev"],
        "detail-type": ["Release proposed"],
    }
    destination = program.one("aws:cloudwatch/eventApiDestination:EventApiDestination", "github")
    assert destination.inputs["invocationEndpoint"] == "https://api.github.com/repos/org/repo/dispatches"
    assert destination.inputs["httpMethod"] == "POST"
    target = program.one("aws:cloudwatch/eventTarget:EventTarget", "release-proposed").inputs
    transformer = target["inputTransformer"]
    event = {"detail": {"model": 'a "model"', "execution": "x-1", "proposal": "s3://b/k"}}
    template = {"InputPathsMap": transformer["inputPaths"], "InputTemplate": transformer["inputTemplate"]}
    assert json.loads(transformed({"InputTransformer": template}, event)) == {
        "event_type": "release-proposed",
        "client_payload": {"model": 'a "model"', "stack": "dev", "execution": "x-1"},
    }


def test_no_token_is_declared(program: Any) -> None:
    connection = program.one("aws:cloudwatch/eventConnection:EventConnection", "github")
    assert connection.inputs["authParameters"]["apiKey"]["key"] == "Authorization"
    assert "no token yet" in json.dumps(connection.inputs["authParameters"])


def test_what_is_not_delivered_is_kept_and_told(program: Any) -> None:
    target = program.one("aws:cloudwatch/eventTarget:EventTarget", "release-proposed").inputs
    queue = program.one("aws:sqs/queue:Queue", "release-proposed-dead-letters")
    assert target["deadLetterConfig"]["arn"] == "arn:aws:made-up:::release-proposed-dead-letters"
    assert queue.inputs["name"] == "drivetrain-dev-release-proposed-dead-letters"
    alarm = program.one("aws:cloudwatch/metricAlarm:MetricAlarm", "release-proposed-dead-letters")
    assert alarm.inputs["dimensions"] == {"QueueName": queue.inputs["name"]}
    role = program.one("aws:iam/rolePolicy:RolePolicy", "announce-events-permissions").policy()
    (statement,) = role["Statement"]
    assert statement["Action"] == ["events:InvokeApiDestination"]
