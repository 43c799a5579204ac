import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.components.keys import data_policy, logs_policy, messages_policy
from infra.settings import Settings, load_settings


@pytest.fixture
def settings(project_dir: Path) -> Settings:
    return load_settings(project_dir, "staging")


def by_sid(policy: str) -> dict[str, dict[str, Any]]:
    return {each["Sid"]: each for each in json.loads(policy)["Statement"]}


def test_keys_rotate_and_have_an_alias(program: Any) -> None:
    keys = program.of("aws:kms/key:Key")
    assert sorted(key.name for key in keys) == ["data", "logs", "messages"]
    for key in keys:
        assert key.inputs["enableKeyRotation"] is True
        alias = program.one("aws:kms/alias:Alias", key.name)
        assert alias.inputs["name"].endswith(f"-{key.name}")
        assert alias.inputs["targetKeyId"] == f"{key.name}-key"


def test_a_key_waits_longest_where_data_lasts(declared: Any) -> None:
    for stack, days in {"local": 7, "production": 30}.items():
        for key in declared(stack).of("aws:kms/key:Key"):
            assert key.inputs["deletionWindowInDays"] == days


def test_only_the_account_administers_and_nobody_has_every_action(settings: Settings) -> None:
    for policy in (data_policy(settings), logs_policy(settings), messages_policy(settings)):
        admin = by_sid(policy)["Administer"]
        assert admin["Principal"] == {"AWS": f"arn:aws:iam::{settings.account_id}:root"}
        assert "kms:PutKeyPolicy" in admin["Action"]
        assert "kms:Decrypt" not in admin["Action"]


def test_actions_are_ones_that_kms_knows(settings: Settings) -> None:
    known = set(boto3.client("kms", region_name="eu-west-1").meta.service_model.operation_names)
    known |= {"ReEncryptFrom", "ReEncryptTo"}  # ReEncrypt asks for one on each key
    for policy in (data_policy(settings), logs_policy(settings), messages_policy(settings)):
        for each in by_sid(policy).values():
            assert {action.removeprefix("kms:") for action in each["Action"]} <= known


def test_grants_on_data_are_for_aws_services_alone(settings: Settings) -> None:
    grant = by_sid(data_policy(settings))["GrantToServices"]
    assert grant["Action"] == ["kms:CreateGrant"]
    assert grant["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}


def test_the_log_of_a_state_machine_is_decrypted_for_this_accounts_logs_alone(settings: Settings) -> None:
    deliver = by_sid(data_policy(settings))["DeliverLogs"]
    assert deliver["Principal"] == {"Service": "delivery.logs.amazonaws.com"}
    assert deliver["Action"] == ["kms:Decrypt"]
    assert deliver["Condition"] == {
        "StringEquals": {"kms:EncryptionContext:SourceArn": "arn:aws:logs:eu-west-1:333333333333:*"}
    }


def test_logs_are_of_this_account_and_region(settings: Settings) -> None:
    use = by_sid(logs_policy(settings))["UseByLogs"]
    assert use["Principal"] == {"Service": "logs.eu-west-1.amazonaws.com"}
    assert use["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"] == (
        "arn:aws:logs:eu-west-1:333333333333:log-group:*"
    )


def test_messages_are_published_for_this_account_and_used_through_queues(settings: Settings) -> None:
    statements = by_sid(messages_policy(settings))
    assert statements["Publish"]["Condition"] == {"StringEquals": {"aws:SourceAccount": "333333333333"}}
    assert "cloudwatch.amazonaws.com" in statements["Publish"]["Principal"]["Service"]
    assert statements["UseThroughQueues"]["Condition"]["StringEquals"]["kms:ViaService"] == [
        "sns.eu-west-1.amazonaws.com",
        "sqs.eu-west-1.amazonaws.com",
    ]
