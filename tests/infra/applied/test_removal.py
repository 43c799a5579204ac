"""Destroying a stack: refused where it is protected, complete where it is not.

Named to come last: whoever needs the local stack after it applies it anew.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from delivery.endpoints.declared import resources
from delivery.endpoints.retirement import retire
from infra.names import BUCKET_PURPOSES
from rehearsal.engine import ProtectedError, destroy

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_protected_stacks_refuse_to_be_destroyed(stacks: Any, project_dir: Path) -> None:
    applied = stacks["production"]
    assert applied.settings.protect
    with pytest.raises(ProtectedError, match="Bucket"):
        destroy(project_dir, "production", applied.state, applied.environment)
    assert len(applied.client("s3").list_buckets()["Buckets"]) == len(BUCKET_PURPOSES)


def test_destroying_the_local_stack_leaves_nothing(stacks: Any, project_dir: Path) -> None:
    applied = stacks["local"]
    serving = [each for each in stacks.rehearsal.endpoints() if each["account"] == applied.settings.account_id]
    assert len(serving) == 1
    gone = destroy(project_dir, "local", applied.state, applied.environment)
    stacks.forget("local")
    assert sorted(gone.deleted) == sorted((*applied.first.created, *applied.second.created))
    assert applied.client("s3").list_buckets()["Buckets"] == []
    assert applied.client("iam").list_roles()["Roles"] == []
    assert applied.client("logs").describe_log_groups()["logGroups"] == []
    assert applied.client("ecr").describe_repositories()["repositories"] == []
    assert applied.client("stepfunctions").list_state_machines()["stateMachines"] == []
    assert applied.client("glue").get_databases()["DatabaseList"] == []
    assert applied.client("sagemaker").list_endpoints()["Endpoints"] == []
    kms = applied.client("kms")
    keys = [kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"] for key in kms.list_keys()["Keys"]]
    assert {key["KeyState"] for key in keys if key["KeyManager"] == "CUSTOMER"} == {"PendingDeletion"}
    assert [vpc for vpc in applied.client("ec2").describe_vpcs()["Vpcs"] if not vpc["IsDefault"]] == []
    state = json.loads(applied.state.read_text(encoding="utf-8"))
    assert resources(state) == []
    # Pulumi retains what an endpoint may have been rolled back to; whoever destroys a stack clears it away.
    sagemaker = applied.client("sagemaker")
    retired = retire(sagemaker, applied.names, state)
    assert (len(retired.models), len(retired.configurations)) == (1, 1)
    assert sagemaker.list_models()["Models"] == sagemaker.list_endpoint_configs()["EndpointConfigs"] == []
    left = [each for each in stacks.rehearsal.endpoints() if each["account"] == applied.settings.account_id]
    assert left == []
