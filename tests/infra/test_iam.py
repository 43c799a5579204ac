import json
from collections.abc import Callable
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from infra.iam import (
    PolicyError,
    deny_all,
    job_role,
    pass_role,
    policy_document,
    service_trust,
    statement,
)
from infra.names import Names

NAMES = Names(project="drivetrain", stack="local", account_id="111111111111", region="eu-west-1")
OBJECTS = "arn:aws:s3:::bucket/*"


@pytest.mark.parametrize("action", ["*", "s3:*", "s3:Get*", "GetObject", "s3:Get Object", ""])
def test_an_action_is_one_action(action: str) -> None:
    with pytest.raises(PolicyError, match="must be one action such as 's3:GetObject'"):
        statement("Read", [action], [OBJECTS])


def test_any_resource_needs_its_reason() -> None:
    with pytest.raises(PolicyError, match="resource '\\*' needs its reason"):
        statement("Find", ["ec2:DescribeSubnets"], ["*"])
    allowed = statement("Find", ["ec2:DescribeSubnets"], ["*"], any_resource_because="EC2 describes know no resource")
    assert allowed.to_json()["Resource"] == "*"


@pytest.mark.parametrize("sid", ["", "read objects", "read-objects"])
def test_a_sid_that_iam_refuses(sid: str) -> None:
    with pytest.raises(PolicyError, match="letters and digits only"):
        statement(sid, ["s3:GetObject"], [OBJECTS])


@pytest.mark.parametrize(("actions", "resources"), [([], [OBJECTS]), (["s3:GetObject"], [])])
def test_a_statement_says_what_and_where(actions: list[str], resources: list[str]) -> None:
    with pytest.raises(PolicyError, match="at least one action and one resource"):
        statement("Read", actions, resources)


def test_a_policy_is_json_in_iams_own_form() -> None:
    read = statement("Read", ["s3:GetObject"], [OBJECTS], {"StringEquals": {"aws:SourceAccount": "111111111111"}})
    tls = deny_all("TlsOnly", "s3", ["arn:aws:s3:::bucket", OBJECTS], {"Bool": {"aws:SecureTransport": "false"}})
    assert json.loads(policy_document(read, tls)) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Read",
                "Effect": "Allow",
                "Action": ["s3:GetObject"],
                "Resource": OBJECTS,
                "Condition": {"StringEquals": {"aws:SourceAccount": "111111111111"}},
            },
            {
                "Sid": "TlsOnly",
                "Effect": "Deny",
                "Action": ["s3:*"],
                "Principal": {"AWS": "*"},
                "Resource": ["arn:aws:s3:::bucket", OBJECTS],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
        ],
    }


def test_a_sid_stands_once_in_a_policy() -> None:
    read = statement("Read", ["s3:GetObject"], [OBJECTS])
    with pytest.raises(PolicyError, match="statement Read: a sid stands once"):
        policy_document(read, read)


def test_a_role_is_passed_to_one_service_only() -> None:
    passed = pass_role("PassTrain", [NAMES.role_arn("auto-mpg-train")], "sagemaker.amazonaws.com").to_json()
    assert passed["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    assert passed["Resource"] == "arn:aws:iam::111111111111:role/drivetrain/local/drivetrain-local-auto-mpg-train"


def test_trust_is_bound_to_the_account_and_source() -> None:
    (trust,) = json.loads(service_trust("glue.amazonaws.com", "111111111111", ["arn:aws:glue:*"]))["Statement"]
    assert trust["Principal"] == {"Service": "glue.amazonaws.com"}
    assert trust["Action"] == ["sts:AssumeRole"]
    assert trust["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "111111111111"},
        "ArnLike": {"aws:SourceArn": ["arn:aws:glue:*"]},
    }


def test_a_job_has_a_role_with_its_statements_alone(run_program: Callable[..., Any]) -> None:
    def body() -> None:
        key = aws.kms.Key("key")
        job_role(
            "auto-mpg-train",
            names=NAMES,
            service="sagemaker.amazonaws.com",
            description="Trains",
            statements=[statement("Decrypt", ["kms:Decrypt"], [key.arn])],
            opts=pulumi.ResourceOptions(),
        )

    program = run_program(body, {})
    role = program.one("aws:iam/role:Role", "auto-mpg-train-role")
    assert role.inputs["name"] == "drivetrain-local-auto-mpg-train"
    assert role.inputs["path"] == "/drivetrain/local/"
    assert role.inputs["permissionsBoundary"] == "arn:aws:iam::111111111111:policy/drivetrain/drivetrain-local-boundary"
    assert "managedPolicyArns" not in role.inputs
    permissions = program.one("aws:iam/rolePolicy:RolePolicy", "auto-mpg-train-permissions")
    (granted,) = permissions.policy()["Statement"]
    assert granted["Resource"] == "arn:aws:made-up:::key"
    assert "auto-mpg-train-role" in permissions.parent


def test_a_document_with_an_output_is_refused_with_the_way_out(run_program: Callable[..., Any]) -> None:
    def body() -> None:
        key = aws.kms.Key("key")
        policy_document(statement("Decrypt", ["kms:Decrypt"], [key.arn]))

    with pytest.raises(PolicyError, match="use policy_output"):
        run_program(body, {})
