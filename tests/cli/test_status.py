"""A rehearsal is told of at every moment, also when a first deployment stopped half way."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from cli.connection import Connection
from cli.status import print_status, stack_status
from infra.settings import load_settings
from infra.sources import project_directory

ACCOUNT = "123456789012"


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Connection]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    project_dir = project_directory()
    settings = load_settings(project_dir, "local").model_copy(update={"account_id": ACCOUNT})
    with mock_aws():
        yield Connection(
            project_dir=project_dir, settings=settings, releases_file=tmp_path / "local.toml", rehearsal=None
        )


def printed(stack: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> str:
    print_status({"name": "default", "up": True, "aws": "here", "pid": 1, "stacks": {"local": stack}, "endpoints": []})
    return capsys.readouterr().out


def test_a_model_whose_pipeline_is_not_there_yet_is_not_deployed(
    connection: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    found = stack_status(connection)
    assert found["models"]["auto-mpg"] == {"deployed": False, "release": None, "executions": []}
    assert "not deployed" in printed(found, capsys)


def test_executions_are_told_newest_first(connection: Connection, capsys: pytest.CaptureFixture[str]) -> None:
    states: Any = boto3.client("stepfunctions", region_name=connection.settings.region)
    arn = states.create_state_machine(
        name=connection.names.state_machine("auto-mpg"),
        definition=json.dumps({"StartAt": "Only", "States": {"Only": {"Type": "Pass", "End": True}}}),
        roleArn=f"arn:aws:iam::{ACCOUNT}:role/pipeline",
    )["stateMachineArn"]
    assert "none yet" in printed(stack_status(connection), capsys)
    for name in ("first", "second"):
        states.start_execution(stateMachineArn=arn, name=name)
    model = stack_status(connection)["models"]["auto-mpg"]
    assert model["deployed"]
    assert [each["name"] for each in model["executions"]] == ["second", "first"]
