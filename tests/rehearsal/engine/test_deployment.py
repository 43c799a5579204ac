"""What a resource's options and names make of it: replaced, protected, retained, renamed, uploaded again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rehearsal.engine import ProtectedError, destroy, preview, up
from rehearsal.engine.deployment import DuplicateUrnError

Environment = dict[str, str]
Project = Callable[[str], Path]
Client = Callable[[str], Any]

HEAD = """
import pulumi
import pulumi_aws as aws
"""
TRUST = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",'
    '"Principal":{"Service":"glue.amazonaws.com"}}]}'
)

pytestmark = pytest.mark.slow


def test_a_replacement_is_made_before_the_old_one_goes(
    project: Project, state_file: Path, environment: Environment, client: Client
) -> None:
    program = HEAD + f"role = aws.iam.Role('job', path='/%s/', assume_role_policy='{TRUST}')\n"
    program += "aws.iam.RolePolicy('may', role=role.name, policy='{}')\npulumi.export('role', role.name)\n"
    policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}'
    program = program.replace("'{}'", f"'{policy}'")
    first = up(project(program % "a"), "local", state_file, environment)
    plan = preview(project(program % "b"), "local", state_file, environment)
    assert [(step.operation, step.replaces) for step in plan.changes] == [
        ("replace", ("path",)),
        ("replace", ("role",)),
    ]
    second = up(project(program % "b"), "local", state_file, environment)
    assert (len(second.replaced), second.deleted) == (2, ())
    assert first.outputs["role"] != second.outputs["role"]
    roles = [role["RoleName"] for role in client("iam").list_roles()["Roles"]]
    assert roles == [second.outputs["role"]]


def test_a_fixed_name_is_deleted_first_with_what_hangs_on_it(
    project: Project, state_file: Path, environment: Environment, client: Client
) -> None:
    policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}'
    program = HEAD + f"role = aws.iam.Role('job', name='job', path='/%s/', assume_role_policy='{TRUST}')\n"
    program += f"aws.iam.RolePolicy('may', name='may', role=role.name, policy='{policy}')\n"
    up(project(program % "a"), "local", state_file, environment)
    up(project(program % "b"), "local", state_file, environment)
    iam = client("iam")
    assert iam.get_role(RoleName="job")["Role"]["Path"] == "/b/"
    assert iam.list_role_policies(RoleName="job")["PolicyNames"] == ["may"]


def test_a_protected_resource_is_never_deleted(
    project: Project, state_file: Path, environment: Environment, client: Client
) -> None:
    kept = HEAD + "aws.sqs.Queue('kept', opts=pulumi.ResourceOptions(protect=True))\n"
    up(project(kept), "local", state_file, environment)
    with pytest.raises(ProtectedError, match="kept") as refused:
        destroy(project(kept), "local", state_file, environment)
    assert "protect to false" in str(refused.value)
    with pytest.raises(ProtectedError):
        up(project(HEAD), "local", state_file, environment)
    assert len(client("sqs").list_queues()["QueueUrls"]) == 1
    up(project(HEAD + "aws.sqs.Queue('kept')\n"), "local", state_file, environment)
    assert len(destroy(project(HEAD), "local", state_file, environment).deleted) == 1


def test_two_resources_of_one_name_are_refused(project: Project, state_file: Path, environment: Environment) -> None:
    with pytest.raises(DuplicateUrnError, match="declared twice"):
        up(project(HEAD + "aws.sqs.Queue('q')\naws.sqs.Queue('q')\n"), "local", state_file, environment)


def test_a_renamed_resource_with_an_alias_is_kept(project: Project, state_file: Path, environment: Environment) -> None:
    up(project(HEAD + "aws.sqs.Queue('old', name='jobs')\n"), "local", state_file, environment)
    renamed = "aws.sqs.Queue('new', name='jobs', opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name='old')]))\n"
    result = up(project(HEAD + renamed), "local", state_file, environment)
    assert (result.changed, len(result.same)) == (0, 1)


def test_ignored_changes_replace_on_changes_and_retain(
    project: Project, state_file: Path, environment: Environment, client: Client
) -> None:
    program = HEAD + (
        "o = pulumi.ResourceOptions\n"
        "aws.sqs.Queue('ignored', delay_seconds=%d, opts=o(ignore_changes=['delay_seconds']))\n"
        "aws.sqs.Queue('replaced', delay_seconds=%d, opts=o(replace_on_changes=['delay_seconds']))\n"
        "aws.sqs.Queue('retained', opts=o(retain_on_delete=True))\n"
    )
    up(project(program % (1, 1)), "local", state_file, environment)
    result = up(project(program % (2, 2)), "local", state_file, environment)
    assert [urn.rsplit("::", 1)[1] for urn in result.replaced] == ["replaced"]
    assert len(result.same) == 2
    destroy(project(HEAD), "local", state_file, environment)
    (left,) = client("sqs").list_queues()["QueueUrls"]
    assert "retained" in left


def test_an_asset_is_uploaded_again_only_when_its_content_changes(
    project: Project, state_file: Path, environment: Environment, client: Client
) -> None:
    program = HEAD + (
        "bucket = aws.s3.Bucket('b', force_destroy=True)\n"
        "aws.s3.BucketObject('job', bucket=bucket.bucket, key='job.py', source=pulumi.FileAsset('job.py'))\n"
        "pulumi.export('bucket', bucket.bucket)\n"
    )
    folder = project(program)
    (folder / "job.py").write_text("print(1)", encoding="utf-8")
    bucket = up(folder, "local", state_file, environment).outputs["bucket"]
    (folder / "job.py").touch()
    assert up(folder, "local", state_file, environment).changed == 0
    (folder / "job.py").write_text("print(2)", encoding="utf-8")
    assert len(up(folder, "local", state_file, environment).updated) == 1
    body = client("s3").get_object(Bucket=bucket, Key="job.py")["Body"].read()
    assert body == b"print(2)"
