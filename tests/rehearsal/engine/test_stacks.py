import json
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rehearsal.engine import (
    DeploymentFailedError,
    EngineError,
    Event,
    destroy,
    preview,
    refresh,
    up,
)
from rehearsal.engine.deployment import Deployment
from rehearsal.engine.project import ProjectError
from rehearsal.engine.stacks import WrongAccountError
from rehearsal.engine.storage import StackLockedError, locked

Environment = dict[str, str]
Project = Callable[[str], Path]
Client = Callable[[str], Any]

HEAD = """
import pulumi
import pulumi_aws as aws
"""
pytestmark = pytest.mark.slow


def held_in(state_file: Path) -> list[dict[str, Any]]:
    return json.loads(state_file.read_text(encoding="utf-8"))["checkpoint"]["latest"]["resources"]


def test_what_is_declared_exists_and_is_read_back(
    tiny: Path, state_file: Path, environment: Environment, client: Client
) -> None:
    events: list[Event] = []
    result = up(tiny, "local", state_file, environment, progress=events.append)

    bucket = result.outputs["bucket"]
    assert bucket.startswith("data-")
    assert result.outputs["domain"] == f"{bucket}.s3.eu-west-1.amazonaws.com"
    s3 = client("s3")
    rule = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["BucketKeyEnabled"] is True
    key = client("kms").describe_key(KeyId=rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"])
    assert key["KeyMetadata"]["Enabled"]
    tags = {tag["Key"]: tag["Value"] for tag in s3.get_bucket_tagging(Bucket=bucket)["TagSet"]}
    assert tags == {"layer": "raw", "project": "tiny"}
    assert len(result.created) == len([event for event in events if event.status == "done"]) == 5
    assert result.changed == 5


def test_the_second_apply_changes_nothing(tiny: Path, state_file: Path, environment: Environment) -> None:
    up(tiny, "local", state_file, environment)
    before = state_file.read_text(encoding="utf-8")
    result = up(tiny, "local", state_file, environment)
    assert (result.changed, len(result.same)) == (0, 5)
    assert "5 unchanged" in result.summary
    assert state_file.read_text(encoding="utf-8") == before


def test_what_is_no_longer_declared_is_deleted(
    tiny: Path, state_file: Path, environment: Environment, client: Client
) -> None:
    up(tiny, "local", state_file, environment)
    result = up(tiny, "local", state_file, environment, {"queues": 1})
    assert [urn.rsplit("::", 1)[1] for urn in result.deleted] == ["queue-1"]
    assert len(client("sqs").list_queues()["QueueUrls"]) == 1


def test_a_changed_property_is_updated_in_place_and_keeps_its_name(
    tiny: Path, state_file: Path, environment: Environment, client: Client
) -> None:
    up(tiny, "local", state_file, environment)
    sqs = client("sqs")
    before = sqs.list_queues()["QueueUrls"]
    result = up(tiny, "local", state_file, environment, {"timeout": 45})
    assert len(result.updated) == 2
    assert sqs.list_queues()["QueueUrls"] == before
    attributes = sqs.get_queue_attributes(QueueUrl=before[0], AttributeNames=["VisibilityTimeout"])["Attributes"]
    assert attributes["VisibilityTimeout"] == "45"


def test_a_preview_touches_nothing_and_says_what_would_be_done(
    tiny: Path, state_file: Path, environment: Environment, client: Client
) -> None:
    plan = preview(tiny, "local", state_file, environment)
    assert {step.operation for step in plan.steps} == {"create"}
    assert not state_file.exists()
    assert "QueueUrls" not in client("sqs").list_queues()

    up(tiny, "local", state_file, environment)
    plan = preview(tiny, "local", state_file, environment, {"queues": 1, "timeout": 45})
    told = {(step.operation, step.urn.rsplit("::", 1)[1], step.changed) for step in plan.changes}
    assert told == {("update", "queue-0", ("visibilityTimeoutSeconds",)), ("delete", "queue-1", ())}


def test_a_failing_resource_is_told_and_the_others_are_finished(
    project: Project, state_file: Path, environment: Environment
) -> None:
    program = HEAD + (
        "on = {'status': 'Enabled'}\n"
        "bad = aws.s3.BucketVersioning('bad', bucket='no-such-bucket', versioning_configuration=on)\n"
        "aws.sqs.Queue('after', opts=pulumi.ResourceOptions(depends_on=[bad]))\n"
        "aws.sqs.Queue('other')\n"
    )
    with pytest.raises(DeploymentFailedError) as failed:
        up(project(program), "local", state_file, environment)
    (failure,) = failed.value.failures
    assert failure.type == "aws:s3/bucketVersioning:BucketVersioning"
    assert "NoSuchBucket" in failure.message
    assert "\n" not in str(failure)
    assert [urn.rsplit("::", 1)[1] for urn in failed.value.skipped] == ["after"]
    names = [entry["urn"].rsplit("::", 1)[1] for entry in held_in(state_file)]
    assert "other" in names
    assert len(destroy(project(HEAD), "local", state_file, environment).deleted) == 1


def test_a_program_that_refuses_its_input_is_told_by_its_message(
    project: Project, state_file: Path, environment: Environment
) -> None:
    folder = project('import pulumi\nraise pulumi.RunError("settings.regoin: unknown key")\n')
    with pytest.raises(EngineError, match=r"^settings\.regoin: unknown key$"):
        up(folder, "local", state_file, environment)


def test_an_error_of_the_program_is_shown_as_it_is(
    project: Project, state_file: Path, environment: Environment
) -> None:
    with pytest.raises(ZeroDivisionError) as raised:
        up(project(HEAD + "aws.sqs.Queue('one')\n1 / 0\n"), "local", state_file, environment)
    assert Path(str(raised.traceback[-1].path)).name == "__main__.py"
    assert not (state_file.parent / "local.json.journal").exists()


def interrupted(tiny: Path, state_file: Path, environment: Environment) -> None:
    def interrupt(event: Event) -> None:
        if event.status == "done":
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        up(tiny, "local", state_file, environment, progress=interrupt)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(("program", "register"))]


def test_ctrl_c_lets_what_is_under_way_finish_and_keeps_it(
    tiny: Path, state_file: Path, environment: Environment
) -> None:
    interrupted(tiny, state_file, environment)
    held = [entry for entry in held_in(state_file) if entry["type"].startswith("aws:")]
    result = up(tiny, "local", state_file, environment)
    assert len(held) == len(result.same) > 0
    assert len(result.created) == 5 - len(held)


def test_ctrl_c_that_comes_again_while_it_is_heard_leaves_nothing_running(
    tiny: Path, state_file: Path, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = Deployment.stop

    def stop_and_hear(deployment: Deployment) -> None:
        monkeypatch.setattr(Deployment, "stop", stop)
        os.kill(os.getpid(), signal.SIGINT)
        stop(deployment)

    monkeypatch.setattr(Deployment, "stop", stop_and_hear)
    interrupted(tiny, state_file, environment)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_wrong_account_is_refused(project: Project, state_file: Path, environment: Environment) -> None:
    program = HEAD + "p = aws.Provider('p', region='eu-west-1', allowed_account_ids=['999999999999'])\n"
    program += "aws.sqs.Queue('q', opts=pulumi.ResourceOptions(provider=p))\n"
    with pytest.raises(DeploymentFailedError, match="allows only 999999999999"):
        up(project(program), "local", state_file, environment)


def test_a_state_belongs_to_one_account(tiny: Path, state_file: Path, environment: Environment, moto_url: str) -> None:
    up(tiny, "local", state_file, environment)
    other = {"AWS_ENDPOINT_URL": moto_url, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
    with pytest.raises(WrongAccountError, match="123456789012"):
        up(tiny, "local", state_file, {**other, "AWS_REGION": "eu-west-1"})


def test_a_locked_stack_says_who_holds_it(tiny: Path, state_file: Path, environment: Environment) -> None:
    with locked(state_file), pytest.raises(StackLockedError, match=r"process \d+ since \d{4}-"):
        up(tiny, "local", state_file, environment)


def test_a_project_without_the_stack_is_refused(tiny: Path, state_file: Path, environment: Environment) -> None:
    with pytest.raises(ProjectError, match=r"Pulumi\.nowhere\.yaml"):
        up(tiny, "nowhere", state_file, environment)


def test_destroy_leaves_nothing_behind(tiny: Path, state_file: Path, environment: Environment, client: Client) -> None:
    result = up(tiny, "local", state_file, environment)
    client("s3").put_object(Bucket=result.outputs["bucket"], Key="row", Body=b"1")
    assert len(destroy(tiny, "local", state_file, environment).deleted) == 5
    assert client("s3").list_buckets()["Buckets"] == []
    assert held_in(state_file) == []


def test_drift_is_found_by_refresh_and_put_right_by_the_next_apply(
    tiny: Path, state_file: Path, environment: Environment, client: Client
) -> None:
    up(tiny, "local", state_file, environment)
    sqs = client("sqs")
    first, second = sqs.list_queues()["QueueUrls"]
    sqs.set_queue_attributes(QueueUrl=first, Attributes={"VisibilityTimeout": "99"})
    sqs.delete_queue(QueueUrl=second)
    found = refresh(tiny, "local", state_file, environment)
    assert (len(found.gone), len(found.drifted)) == (1, 1)
    result = up(tiny, "local", state_file, environment)
    assert (len(result.created), len(result.updated)) == (1, 1)
    held = sqs.get_queue_attributes(QueueUrl=first, AttributeNames=["VisibilityTimeout"])["Attributes"]
    assert held["VisibilityTimeout"] == "30"


def test_a_program_imports_its_own_modules_and_leaves_none(
    project: Project, state_file: Path, environment: Environment
) -> None:
    folder = project("from parts import VALUE\nimport pulumi\npulumi.export('value', VALUE)\n")
    (folder / "parts.py").write_text("VALUE = 1\n", encoding="utf-8")
    assert up(folder, "local", state_file, environment).outputs == {"value": 1}
    (folder / "parts.py").write_text("VALUE = 22\n", encoding="utf-8")
    assert up(folder, "local", state_file, environment).outputs == {"value": 22}


def test_the_callers_identity_is_a_data_source(
    project: Project, state_file: Path, environment: Environment, client: Client
) -> None:
    program = HEAD + "pulumi.export('account', aws.get_caller_identity().account_id)\n"
    account = client("sts").get_caller_identity()["Account"]
    assert up(project(program), "local", state_file, environment).outputs == {"account": account}
