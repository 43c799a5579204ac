"""Applied, released, applied again: what each apply changes, and that stacks are apart from each other."""

from pathlib import Path
from typing import Any

import pytest

from infra.names import BUCKET_PURPOSES
from rehearsal.engine import preview

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_the_first_apply_makes_everything_and_a_release_only_adds(stack: Any) -> None:
    assert len(stack.first.created) > 140
    assert not [urn for urn in stack.first.created if "aws:sagemaker/endpoint" in urn]
    assert [urn for urn in stack.second.created if "aws:sagemaker/endpoint:Endpoint" in urn]
    assert (stack.second.replaced, stack.second.deleted) == ((), ())


def test_applied_again_nothing_changes(stack: Any) -> None:
    again = stack.up()
    assert (again.created, again.updated, again.replaced, again.deleted) == ((), (), (), ())
    assert len(again.same) == len(stack.first.created) + len(stack.second.created)


def test_a_preview_of_what_is_applied_shows_nothing(stacks: Any, project_dir: Path) -> None:
    stack = stacks["local"]
    assert preview(project_dir, "local", stack.state, stack.environment, stack.override).changes == ()


def test_the_stacks_see_nothing_of_each_other(stack: Any) -> None:
    assert stack.client("sts").get_caller_identity()["Account"] == stack.settings.account_id
    buckets = {bucket["Name"] for bucket in stack.client("s3").list_buckets()["Buckets"]}
    assert buckets - {stack.names.state_bucket} == {stack.names.bucket(purpose) for purpose in BUCKET_PURPOSES}
    roles = [role["RoleName"] for role in stack.client("iam").list_roles()["Roles"]]
    assert roles
    assert all(role.startswith(f"{stack.names.prefix}-") for role in roles)
