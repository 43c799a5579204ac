"""A row of the tables: one change of one stack that is there already, and what it is stopped for."""

from dataclasses import dataclass
from typing import Any

from delivery.pulumi.preview import PreviewStep
from tests.delivery.gate.steps import judged, step

BUCKET = "aws:s3/bucket:Bucket"
BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
POLICY = "aws:s3/bucketPolicy:BucketPolicy"
ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
ROLE = "aws:iam/role:Role"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
KEY = "aws:kms/key:Key"
REPOSITORY = "aws:ecr/repository:Repository"
GROUP = "aws:cloudwatch/logGroup:LogGroup"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
ENDPOINT = "aws:sagemaker/endpoint:Endpoint"
CONFIGURATION = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
MODEL = "aws:sagemaker/model:Model"
MACHINE = "aws:sfn/stateMachine:StateMachine"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
SECURITY_GROUP = "aws:ec2/securityGroup:SecurityGroup"
WORKGROUP = "aws:athena/workgroup:Workgroup"
BUDGET = "aws:budgets/budget:Budget"


@dataclass(frozen=True)
class Case:
    what: str
    steps: tuple[PreviewStep, ...]
    stopped: tuple[tuple[str, str], ...] = ()
    """Rule and a part of the message of each finding; none where the change passes."""


def changed(what: str, type_: str, old: Any, new: Any, *stopped: tuple[str, str], **more: Any) -> Case:
    return Case(what, (step("update", type_, old=old, new=new, **more),), stopped)


def gone(what: str, type_: str, rule: str) -> Case:
    return Case(f"delete {what}", (step("delete", type_),), ((rule, "is deleted"),))


def replaced(what: str, type_: str, rule: str) -> Case:
    sides: dict[str, Any] = {"old": {"name": "a"}, "new": {"name": "b"}}
    steps = (
        step("create-replacement", type_, **sides),
        step("replace", type_, replace_reasons=("name",), **sides),
        step("delete-replaced", type_, old={"name": "a"}),
    )
    return Case(f"replace {what}", steps, ((rule, "is replaced"),))


def assert_stopped(case: Case) -> None:
    found = sorted((each.rule, each.message) for each in judged(*case.steps).stopped)
    wanted = sorted(case.stopped)
    assert [rule for rule, _ in found] == [rule for rule, _ in wanted], found
    for (_, message), (_, part) in zip(found, wanted, strict=True):
        assert part in message
