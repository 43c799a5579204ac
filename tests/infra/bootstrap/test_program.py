"""What the bootstrap declares, under Pulumi's own mocks."""

import json
from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from infra.bootstrap.program import declare
from infra.bootstrap.settings import SETTINGS_KEY

GITHUB = {"repository": "org/repo"}
DOCUMENT: dict[str, Any] = {
    "project": "drivetrain",
    "account_id": "222222222222",
    "region": "eu-west-1",
    "stacks": [
        {"stack": "dev", "protect": True, "github": GITHUB},
        {"stack": "pr", "protect": False, "github": GITHUB},
    ],
}


def bootstrapped(run_program: Callable[..., Any], **changes: Any) -> Any:
    config = {SETTINGS_KEY: json.dumps({**DOCUMENT, **changes})}
    return run_program(declare, config, "222222222222-eu-west-1")


_programs: dict[str, Any] = {}


@pytest.fixture
def program(run_program: Callable[..., Any]) -> Any:
    """Declared once for all tests of this file."""
    if "declared" not in _programs:
        _programs["declared"] = bootstrapped(run_program)
    return _programs["declared"]


def test_the_state_is_versioned_encrypted_private_and_protected(program: Any) -> None:
    bucket = program.one("aws:s3/bucket:Bucket", "state")
    assert bucket.inputs["bucket"] == "drivetrain-222222222222-eu-west-1-pulumi-state"
    assert bucket.protect
    assert not bucket.inputs["forceDestroy"]
    versioning = program.one("aws:s3/bucketVersioning:BucketVersioning", "state")
    assert versioning.inputs["versioningConfiguration"] == {"status": "Enabled"}
    block = program.one("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "state")
    assert {value for key, value in block.inputs.items() if key.startswith(("block", "ignore", "restrict"))} == {True}
    encryption = program.one(
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration", "state"
    )
    (rule,) = encryption.inputs["rules"]
    assert rule["applyServerSideEncryptionByDefault"]["kmsMasterKeyId"] == "arn:aws:made-up:::state"
    (tls,) = program.one("aws:s3/bucketPolicy:BucketPolicy", "state").policy()["Statement"]
    assert (tls["Effect"], tls["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert program.one("aws:kms/key:Key", "state").protect


def test_signing_keys_sign_and_nothing_else(program: Any) -> None:
    key = program.one("aws:kms/key:Key", "dev-signing")
    assert (key.inputs["customerMasterKeySpec"], key.inputs["keyUsage"]) == ("ECC_NIST_P256", "SIGN_VERIFY")
    assert key.protect
    assert program.one("aws:kms/alias:Alias", "dev-signing").inputs["name"] == "alias/drivetrain-dev-signing"
    assert not program.one("aws:kms/key:Key", "pr-signing").protect


def test_one_identity_provider_for_all_stacks(program: Any) -> None:
    (provider,) = program.of("aws:iam/openIdConnectProvider:OpenIdConnectProvider")
    assert provider.inputs["url"] == "https://token.actions.githubusercontent.com"
    assert provider.inputs["clientIdLists"] == ["sts.amazonaws.com"]
    assert provider.protect


@pytest.mark.parametrize(
    "changes", [{"identity_provider": "existing"}, {"stacks": [{"stack": "local", "protect": False}]}]
)
def test_none_where_there_is_one_or_none_is_asked_for(run_program: Callable[..., Any], changes: dict[str, Any]) -> None:
    program = bootstrapped(run_program, **changes)
    assert program.of("aws:iam/openIdConnectProvider:OpenIdConnectProvider") == []
    wanted = {each["stack"] for each in changes.get("stacks", DOCUMENT["stacks"])}
    assert {
        each.name.removesuffix("-deploy") for each in program.of("aws:iam/role:Role") if "deploy" in each.name
    } == wanted


def test_roles_and_boundaries_are_out_of_every_stacks_reach(program: Any) -> None:
    roles, policies = program.of("aws:iam/role:Role"), program.of("aws:iam/policy:Policy")
    assert {each.inputs["path"] for each in (*roles, *policies)} == {"/drivetrain/"}
    assert sorted(each.inputs["name"] for each in roles) == [
        "drivetrain-dev-deploy",
        "drivetrain-dev-preview",
        "drivetrain-dev-promotion",
        "drivetrain-pr-deploy",
        "drivetrain-pr-preview",
    ]
    assert {"drivetrain-dev-boundary", "drivetrain-pr-boundary"} <= {each.inputs["name"] for each in policies}
    attached = program.of("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
    held = {name: [each.name for each in attached if each.name.startswith(name)] for name in ("dev-deploy", "dev-prev")}
    assert (len(held["dev-deploy"]), len(held["dev-prev"])) == (9, 2)


def test_settings_that_are_not_right_stop_the_program_with_a_message(run_program: Callable[..., Any]) -> None:
    with pytest.raises(pulumi.RunError, match="account_id"):
        bootstrapped(run_program, account_id="12")
