"""A file that landed before is reported as truly the second time as the first."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from cli import ingest as command
from cli.connection import Connection
from cli.ingest import NothingTakenError, ingest
from cli.landing import landing_key
from cli.output import Stage
from infra.settings import load_settings
from infra.sources import project_directory
from models.spec import ModelSpec
from pipelines import executions
from pipelines.executions import ExecutionError, Outcome

pytestmark = pytest.mark.slow  # each makes an AWS or a model of its own
ACCOUNT = "123456789012"
MODEL = "auto-mpg"
# Fails unless it is forced, or always.
FORCED: dict[str, Any] = {"Variable": "$.force", "BooleanEquals": True, "Next": "Good"}
STATES: dict[str, Any] = {
    "Good": {"Type": "Succeed"},
    "Wait": {"Type": "Wait", "Seconds": 600, "Next": "Good"},
    "Bad": {"Type": "Fail", "Error": "TrainFailed", "Cause": "loss is NaN"},
    "Choose": {"Type": "Choice", "Choices": [FORCED], "Default": "Bad"},
}


class Landed:
    """A stack in which one file lies in the landing bucket."""

    def __init__(self, connection: Connection, file: Path) -> None:
        self.connection, self.file = connection, file
        self.s3, self.states = connection.client("s3"), connection.client("stepfunctions")
        self.key = landing_key(connection.spec(MODEL), file.name, file.read_bytes())
        for purpose in ("landing", "artifacts"):
            place: Any = {"LocationConstraint": connection.settings.region}
            self.s3.create_bucket(Bucket=connection.names.bucket(purpose), CreateBucketConfiguration=place)
        self.s3.put_object(Bucket=connection.names.bucket("landing"), Key=self.key, Body=file.read_bytes())

    def machine(self, start: str) -> str:
        created = self.states.create_state_machine(
            name=self.connection.names.state_machine(MODEL),
            definition=json.dumps({"StartAt": start, "States": STATES}),
            roleArn=f"arn:aws:iam::{ACCOUNT}:role/pipeline",
        )
        return created["stateMachineArn"]

    def result(self, execution: str, *, added: int = 0, refused: str = "") -> None:
        """What the ingest job of that execution leaves."""
        found = {
            "object": f"s3://{self.connection.names.bucket('landing')}/{self.key}",
            "rows_added": added,
            "rows_unchanged": 0,
            "rows_quarantined": 0,
            "refused": refused,
            "examples": [],
        }
        self.s3.put_object(
            Bucket=self.connection.names.bucket("artifacts"),
            Key=f"runs/{MODEL}/{execution}/ingest.json",
            Body=json.dumps({"objects": [found]}),
        )

    def earlier(self, machine: str) -> str:
        """An execution over the file that has ended; its name."""
        arn = executions.start(self.states, machine, prefix=self.key, force=False)
        return executions.follow(self.states, arn, lambda _step: None).name

    def inputs(self, machine: str) -> list[dict[str, Any]]:
        """What the executions were started with, newest first."""
        arns = executions.execution_arns(self.states, machine)
        return [json.loads(self.states.describe_execution(executionArn=arn)["input"]) for arn in arns]


@pytest.fixture
def landed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Landed]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    project_dir = project_directory()
    settings = load_settings(project_dir, "local").model_copy(update={"account_id": ACCOUNT})
    connection = Connection(
        project_dir=project_dir, settings=settings, releases_file=tmp_path / "local.toml", rehearsal=None
    )
    monkeypatch.setattr(command, "connect", lambda _stack, _name: connection)
    (tmp_path / "cars.csv").write_text("name,mpg\n")
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        yield Landed(connection, tmp_path / "cars.csv")


def test_a_pipeline_that_fails_again_is_told_again(landed: Landed) -> None:
    machine = landed.machine("Bad")
    landed.earlier(machine)
    with pytest.raises(ExecutionError, match="TrainFailed: loss is NaN"):
        ingest(MODEL, [landed.file])
    assert len(landed.inputs(machine)) == 2


def test_a_file_that_is_refused_is_refused_again_and_trains_nothing(
    landed: Landed, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = landed.machine("Bad")
    landed.result(landed.earlier(machine), refused="an empty object")
    fixed = uuid.uuid4()
    landed.result(str(fixed), refused="an empty object")
    monkeypatch.setattr(executions.uuid, "uuid4", lambda: fixed)
    with pytest.raises(NothingTakenError, match=r"nothing of cars.csv was taken: an empty object"):
        ingest(MODEL, [landed.file])
    assert landed.inputs(machine)[0] == {"prefix": landed.key, "force": False}


def test_rows_that_a_failed_pipeline_took_are_trained_on(landed: Landed) -> None:
    machine = landed.machine("Choose")
    landed.result(landed.earlier(machine), added=3)
    ingest(MODEL, [landed.file])
    assert landed.inputs(machine)[0] == {"prefix": landed.key, "force": True}


def test_what_went_well_is_not_forced_to_train_again(landed: Landed, capsys: pytest.CaptureFixture[str]) -> None:
    machine = landed.machine("Good")
    landed.result(landed.earlier(machine), added=3)
    ingest(MODEL, [landed.file])
    assert landed.inputs(machine)[0] == {"prefix": landed.key, "force": False}
    assert f"{landed.key} (was there)" in capsys.readouterr().out


def test_an_object_that_nothing_has_read_yet_is_read(landed: Landed) -> None:
    machine = landed.machine("Good")
    executions.start(landed.states, machine, prefix=f"{MODEL}/other.csv", force=False)
    ingest(MODEL, [landed.file])
    assert landed.inputs(machine)[0] == {"prefix": landed.key, "force": False}


def test_a_pipeline_that_still_runs_is_followed(landed: Landed, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = landed.machine("Wait")
    running = executions.start(landed.states, machine, prefix=landed.key, force=False)
    follow = command.follow

    def stop_and_follow(connection: Connection, spec: ModelSpec, arn: str, step: Stage) -> Outcome:
        landed.states.stop_execution(executionArn=arn)
        return follow(connection, spec, arn, step)

    monkeypatch.setattr(command, "follow", stop_and_follow)
    with pytest.raises(ExecutionError, match=f"aborted in execution {running.rpartition(':')[2]}"):
        ingest(MODEL, [landed.file])
    assert len(landed.inputs(machine)) == 1
