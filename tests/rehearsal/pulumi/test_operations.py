"""The stand-in through its shim as CD calls it, and in this process where that shows the same."""

import json
import os
import subprocess
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from delivery.pulumi.command import PulumiError, PulumiStack, StackLockedError
from delivery.pulumi.locks import LockError, find_locks, release
from rehearsal import engine
from rehearsal.pulumi import shim
from tests.rehearsal.pulumi.conftest import Pulumi

pytestmark = pytest.mark.slow
Environment = dict[str, str]

# The second queue waits for the first, and in between the program waits for the test, if that asks for it.
HALFWAY = """
import os
import time
from pathlib import Path
import pulumi
import pulumi_aws as aws


def wait(name):
    marker = Path(os.environ.get("HALFWAY", "/nowhere/at/all"))
    if marker.parent.exists() and not marker.exists():
        marker.write_text(name)
        time.sleep(300)
    return name + "-second"


first = aws.sqs.Queue("first")
second = aws.sqs.Queue("second", name=first.name.apply(wait))
pulumi.export("second", second.name)
pulumi.export("password", pulumi.Output.secret("x"))
"""


@pytest.fixture
def stack(project: Callable[[str], Path], environment: Environment, backend: str, tmp_path: Path) -> PulumiStack:
    shim(tmp_path / "bin")
    return PulumiStack(
        project_dir=project(HALFWAY),
        name="local",
        environment={
            **environment,
            "PATH": f"{tmp_path}/bin:{os.environ['PATH']}",
            "PULUMI_HOME": str(tmp_path / "home"),
            "PULUMI_BACKEND_URL": backend,
            "PULUMI_CONFIG_PASSPHRASE": "",
        },
    )


def killed_halfway(stack: PulumiStack, marker: Path) -> None:
    environment = {**(stack.environment or {}), "HALFWAY": str(marker)}
    command = ["pulumi", "up", "--yes", "--skip-preview", "--stack", stack.name]
    process = subprocess.Popen(command, cwd=stack.project_dir, env=environment, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not marker.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    process.kill()
    process.wait()
    assert marker.exists()


def test_a_deploy_that_is_killed_leaves_its_lock_and_the_next_one_completes_it(
    stack: PulumiStack, backend: str, client: Callable[[str], Any], tmp_path: Path
) -> None:
    stack.select_or_create()
    killed_halfway(stack, tmp_path / "halfway")
    made = client("sqs").list_queues()["QueueUrls"]
    assert len(made) == 1

    (lock,) = find_locks(backend, "tiny", "local")
    with pytest.raises(StackLockedError, match=rf"created by {lock.holder} \(pid {lock.pid}\) at "):
        stack.up()
    with pytest.raises(LockError, match="Only its holder may release it"):
        release(lock, by="someone@else", older_than=timedelta(hours=1))
    release(lock, by=lock.holder)

    lines: list[str] = []
    summary = stack.up(on_line=lines.append)
    assert summary.changes == {"create": 1, "same": 2}
    assert lines == ["creating aws:sqs/queue:Queue second"]
    assert client("sqs").list_queues()["QueueUrls"] == [made[0], f"{made[0]}-second"]
    assert stack.outputs() == {"second": f"{made[0].rsplit('/', 1)[1]}-second", "password": "[secret]"}
    assert find_locks(backend, "tiny", "local") == ()
    assert stack.preview().changes == ()


def test_the_state_lies_in_a_bucket_and_its_secrets_key_is_asked_for(
    pulumi: Pulumi, on_aws: None, client: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    where = {"LocationConstraint": "eu-west-1"}
    client("s3").create_bucket(Bucket="states", CreateBucketConfiguration=where)
    kms = client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/states", TargetKeyId=key)
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://states?region=eu-west-1&awssdk=v2")
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE")
    provider = "awskms://alias/states?region=eu-west-1"
    assert pulumi("stack", "init", "local", "--secrets-provider", provider).code == 0
    assert pulumi("up", "--yes").code == 0
    kept = [entry["Key"] for entry in client("s3").list_objects_v2(Bucket="states")["Contents"]]
    assert kept == [".pulumi/stacks/tiny/local.json", ".pulumi/stacks/tiny/local.json.bak"]
    assert json.loads(pulumi("stack", "export").stdout)["deployment"]["secrets_providers"]["type"] == "cloud"
    kms.delete_alias(AliasName="alias/states")
    refused = pulumi("preview")
    assert refused.code == 1
    assert "NotFoundException" in refused.stderr


def test_previews_show_what_an_up_then_does(pulumi: Pulumi, on_aws: None) -> None:
    pulumi("stack", "init", "local")
    first = pulumi("preview")
    assert "+ 8 to create" in first.stdout
    changes = pulumi("preview", "--expect-no-changes")
    assert (changes.code, changes.stderr) == (
        7,
        "error: no changes were expected for preview but changes were proposed\n",
    )
    assert pulumi("up").code == 2
    done = pulumi("up", "--yes", "--skip-preview")
    assert "    + 8 created" in done.stdout
    assert "domain: " in done.stdout
    document = json.loads(pulumi("preview", "--json", "--expect-no-changes").stdout)
    assert document["changeSummary"] == {"same": 8}
    assert [step["op"] for step in document["steps"]] == ["same"]


def test_drift_is_found_when_a_preview_refreshes_and_written_down_by_a_refresh(
    pulumi: Pulumi, on_aws: None, client: Callable[[str], Any]
) -> None:
    pulumi("stack", "init", "local")
    pulumi("up", "--yes", "--skip-preview")
    sqs = client("sqs")
    first, second = sqs.list_queues()["QueueUrls"]
    sqs.delete_queue(QueueUrl=second)
    sqs.set_queue_attributes(QueueUrl=first, Attributes={"VisibilityTimeout": "99"})
    assert pulumi("preview", "--expect-no-changes").code == 0
    drifted = pulumi("preview", "--json", "--expect-no-changes", "--refresh")
    assert drifted.code == 7
    assert json.loads(drifted.stdout)["changeSummary"] == {"create": 1, "same": 6, "update": 1}
    assert "1 deleted" in pulumi("refresh", "--yes", "--skip-preview").stdout
    assert pulumi("preview", "--expect-no-changes").code == 7
    events = [json.loads(line) for line in pulumi("up", "--yes", "--json").stdout.splitlines()]
    (summary,) = [event["summaryEvent"] for event in events if "summaryEvent" in event]
    assert (summary["result"], summary["resourceChanges"]) == ("succeeded", {"create": 1, "same": 6, "update": 1})
    assert pulumi("destroy", "--yes").code == 0
    assert pulumi("stack", "rm", "local", "--yes", "--preserve-config").code == 0


def test_what_fails_is_told_with_its_reason_wherever_it_is_asked(
    stack: PulumiStack, project: Callable[[str], Path]
) -> None:
    stack.select_or_create()
    head = "import pulumi\nimport pulumi_aws as aws\n"
    project(head + "raise pulumi.RunError('settings.regoin: unknown key')\n")
    with pytest.raises(PulumiError, match=r"settings\.regoin: unknown key"):
        stack.preview()
    project("import pulumi\npulumi.StackReference('organization/tiny/nowhere')\n")
    with pytest.raises(PulumiError, match="unknown stack 'organization/tiny/nowhere'"):
        stack.preview()
    project(
        head + "on = {'status': 'Enabled'}\n"
        "aws.s3.BucketVersioning('bad', bucket='no-such-bucket', versioning_configuration=on)\n"
    )
    with pytest.raises(PulumiError, match="bad: PutBucketVersioning: NoSuchBucket"):
        stack.up()
    assert {entry["type"] for entry in stack.export()["deployment"]["resources"]} == {"pulumi:pulumi:Stack"}


def test_a_stack_reads_the_outputs_of_another(
    project: Callable[[str], Path], environment: Environment, tmp_path: Path
) -> None:
    head = "import pulumi\nimport pulumi_aws as aws\n"
    platform = tmp_path / "stacks" / "local.json"
    program = head + "pulumi.export('queue', 'jobs')\npulumi.export('password', pulumi.Output.secret('x'))\n"
    engine.up(project(program), "local", platform, environment)
    reader = head + (
        "other = pulumi.StackReference('platform', 'organization/tiny/local')\n"
        "queue = aws.sqs.Queue('q', name=other.require_output('queue'))\n"
        "pulumi.export('made', queue.name)\npulumi.export('secret', other.require_output('password'))\n"
    )
    model = platform.with_name("model.json")
    made = engine.up(project(reader), "model", model, environment, {})
    assert made.outputs == {"made": "jobs", "secret": "x"}
    held = json.loads(model.read_text())["checkpoint"]["latest"]["resources"]
    (reference,) = [entry for entry in held if entry["type"] == "pulumi:pulumi:StackReference"]
    assert (reference["external"], reference["id"]) == (True, "organization/tiny/local")
    assert engine.up(project(reader), "model", model, environment, {}).changed == 0
    assert len(engine.destroy(project(reader), "model", model, environment).deleted) == 1
