"""What the bootstrap is made of, on a real moto server: managed policies, identity providers, signing keys."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from handling import LIST, READ, RETAGGED, TAGS, Make, changed, holds

from rehearsal.provider import lifecycle
from rehearsal.provider.aws_clients import EnvironmentClients
from rehearsal.provider.lifecycle import AwsRefusedError
from rehearsal.provider.registry import handler_of

POLICY = "aws:iam/policy:Policy"
PROVIDER = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"


def test_a_managed_policy_changes_in_versions_of_which_five_are_kept(aws: EnvironmentClients, made: Make) -> None:
    inputs = {"name": "reads", "path": "/drivetrain/", "description": "May read", "policy": READ, **TAGS}
    arn, policy = made(POLICY, inputs)
    assert arn == f"arn:aws:iam::{aws.account_id}:policy/drivetrain/reads"
    assert holds(policy, {**inputs, "arn": arn})
    before = inputs
    for _ in range(4):
        for document in (LIST, READ):
            news = {**before, "policy": document, **RETAGGED}
            assert holds(changed(aws, POLICY, arn, before, news), news)
            before = news
    versions = aws.client("iam").list_policy_versions(PolicyArn=arn)["Versions"]
    assert len(versions) == 5
    assert sum(each["IsDefaultVersion"] for each in versions) == 1
    assert {"name", "path", "description"} <= handler_of(POLICY).replace_on


def test_a_policy_longer_than_iam_takes_is_refused(aws: EnvironmentClients) -> None:
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": ["arn:aws:s3:::" + "x" * 6144]}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=4)
    with pytest.raises(AwsRefusedError, match=r"PolicySize: 6144 .*long has"):
        lifecycle.create(handler_of(POLICY), aws, {"name": "long", "policy": document})


def test_an_identity_provider_is_one_per_address(aws: EnvironmentClients, made: Make) -> None:
    inputs = {"url": "https://token.actions.example.com", "clientIdLists": ["sts.amazonaws.com"], **TAGS}
    arn, provider = made(PROVIDER, inputs)
    assert arn == f"arn:aws:iam::{aws.account_id}:oidc-provider/token.actions.example.com"
    assert holds(provider, {**inputs, "arn": arn})
    news = {**inputs, "clientIdLists": ["other", "sts.amazonaws.com"], **RETAGGED}
    read = changed(aws, PROVIDER, arn, inputs, news)
    assert sorted(read["clientIdLists"]) == news["clientIdLists"]
    assert read["tags"] == RETAGGED["tags"]
    with pytest.raises(AwsRefusedError, match="EntityAlreadyExists"):
        lifecycle.create(handler_of(PROVIDER), aws, inputs)


def test_a_signing_key_signs_and_does_not_rotate(aws: EnvironmentClients, made: Make) -> None:
    inputs = {
        "description": "Signs",
        "customerMasterKeySpec": "ECC_NIST_P256",
        "keyUsage": "SIGN_VERIFY",
        "deletionWindowInDays": 7,
        **TAGS,
    }
    key_id, key = made("aws:kms/key:Key", inputs)
    assert holds(key, {**inputs, "enableKeyRotation": False})
    kms = aws.client("kms")
    signed = {"KeyId": key_id, "Message": b"release", "SigningAlgorithm": "ECDSA_SHA_256"}
    signature = kms.sign(**signed)["Signature"]
    assert kms.verify(**signed, Signature=signature)["SignatureValid"]
