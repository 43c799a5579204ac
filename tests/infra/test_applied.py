"""All four stacks applied to the rehearsal, each in its account, and read back through boto3, not from the program."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.names import BUCKET_PURPOSES, IMAGES, LAYERS, Names
from infra.settings import Settings, load_settings
from infra.sources import project_directory
from rehearsal import server
from rehearsal.engine import UpResult, up

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
STACKS = ("local", "dev", "staging", "production")


@dataclass(frozen=True)
class Applied:
    """One stack as it stands on the rehearsal."""

    settings: Settings
    state: Path
    environment: dict[str, str]
    result: UpResult

    @property
    def names(self) -> Names:
        return self.settings.names

    def client(self, service: str) -> Any:
        connect: Callable[..., Any] = boto3.client
        return connect(
            service,
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            region_name=self.settings.region,
            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
        )


@pytest.fixture(scope="module")
def apply(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Applied]]:
    folder = tmp_path_factory.mktemp("applied")
    rehearsal = server.start(folder)

    @cache
    def applied(stack: str) -> Applied:
        settings = load_settings(project_directory(), stack)
        environment = rehearsal.environment(settings.account_id, settings.region)
        # What is released depends on the day; the platform stands without it.
        nothing_released = {"releases": str(folder / "releases")}
        state = folder / f"{stack}.json"
        result = up(project_directory(), stack, state, environment, nothing_released)
        return Applied(settings, state, environment, result)

    try:
        yield applied
    finally:
        rehearsal.stop()


@pytest.fixture(scope="module", params=STACKS)
def stack(apply: Callable[[str], Applied], request: pytest.FixtureRequest) -> Applied:
    return apply(request.param)


def test_everything_is_created(stack: Applied) -> None:
    assert len(stack.result.created) > 140


def test_applied_again_nothing_changes(stack: Applied) -> None:
    again = up(
        project_directory(),
        stack.settings.stack,
        stack.state,
        stack.environment,
        {"releases": str(stack.state.parent / "releases")},
    )
    assert (again.created, again.updated, again.replaced, again.deleted) == ((), (), (), ())
    assert len(again.same) == len(stack.result.created)


@pytest.mark.parametrize("purpose", BUCKET_PURPOSES)
def test_buckets(stack: Applied, purpose: Any) -> None:
    s3, bucket = stack.client("s3"), stack.names.bucket(purpose)
    (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    default = rule["ApplyServerSideEncryptionByDefault"]
    if purpose == "logs":
        assert default["SSEAlgorithm"] == "AES256"
    else:
        key = stack.client("kms").describe_key(KeyId=f"alias/{stack.names.prefix}-data")["KeyMetadata"]["Arn"]
        assert (default["SSEAlgorithm"], default["KMSMasterKeyID"]) == ("aws:kms", key)
        assert rule["BucketKeyEnabled"] is True
        assert s3.get_bucket_logging(Bucket=bucket)["LoggingEnabled"]["TargetBucket"] == stack.names.bucket("logs")
    assert set(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values()) == {True}
    (owner,) = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    assert owner["ObjectOwnership"] == "BucketOwnerEnforced"
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    (lifecycle,) = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert lifecycle["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == 7
    assert lifecycle["NoncurrentVersionExpiration"]["NoncurrentDays"] == stack.settings.lake.noncurrent_version_days
    policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    assert {"Bool": {"aws:SecureTransport": "false"}} in [each.get("Condition") for each in policy["Statement"]]
    tags = {tag["Key"]: tag["Value"] for tag in s3.get_bucket_tagging(Bucket=bucket)["TagSet"]}
    assert tags.items() >= stack.settings.default_tags.items()


def test_landing_tells_eventbridge(stack: Applied) -> None:
    """By its effect: moto answers GetBucketNotificationConfiguration without the EventBridge part."""
    sqs, events, bucket = stack.client("sqs"), stack.client("events"), stack.names.bucket("landing")
    queue = sqs.create_queue(QueueName="landed")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {"source": ["aws.s3"], "detail-type": ["Object Created"], "detail": {"bucket": {"name": [bucket]}}}
    events.put_rule(Name="landed", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="landed", Targets=[{"Id": "queue", "Arn": arn}])
    stack.client("s3").put_object(Bucket=bucket, Key="of-no-model/cars.csv", Body=b"name\n")
    (message,) = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=10)["Messages"]
    assert json.loads(message["Body"])["detail"]["object"]["key"] == "of-no-model/cars.csv"


@pytest.mark.parametrize("purpose", ["data", "logs", "messages"])
def test_keys(stack: Applied, purpose: str) -> None:
    kms = stack.client("kms")
    key = kms.describe_key(KeyId=f"alias/{stack.names.prefix}-{purpose}")["KeyMetadata"]
    assert key["KeyManager"] == "CUSTOMER"
    assert kms.get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"] is True
    policy = json.loads(kms.get_key_policy(KeyId=key["KeyId"], PolicyName="default")["Policy"])
    assert not [action for each in policy["Statement"] for action in each["Action"] if "*" in action]


def test_the_network_has_no_way_out(stack: Applied) -> None:
    ec2 = stack.client("ec2")
    (vpc,) = ec2.describe_vpcs(Filters=[{"Name": "tag:Name", "Values": [stack.names.prefix]}])["Vpcs"]
    in_vpc = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
    subnets = ec2.describe_subnets(Filters=in_vpc)["Subnets"]
    assert len({subnet["AvailabilityZone"] for subnet in subnets}) == stack.settings.network.availability_zones
    assert not any(subnet["MapPublicIpOnLaunch"] for subnet in subnets)
    routes = [r for table in ec2.describe_route_tables(Filters=in_vpc)["RouteTables"] for r in table["Routes"]]
    assert "0.0.0.0/0" not in [route.get("DestinationCidrBlock") for route in routes]
    attached = [{"Name": "attachment.vpc-id", "Values": [vpc["VpcId"]]}]
    assert ec2.describe_internet_gateways(Filters=attached)["InternetGateways"] == []
    groups = {g["GroupName"]: g for g in ec2.describe_security_groups(Filters=in_vpc)["SecurityGroups"]}
    assert (groups["default"]["IpPermissions"], groups["default"]["IpPermissionsEgress"]) == ([], [])
    for group in groups.values():
        for rule in (*group["IpPermissions"], *group["IpPermissionsEgress"]):
            assert rule.get("IpRanges", []) == [], group["GroupName"]
    (log,) = ec2.describe_flow_logs(Filters=[{"Name": "resource-id", "Values": [vpc["VpcId"]]}])["FlowLogs"]
    assert log["TrafficType"] == "ALL"


def test_roles_trust_services_of_this_account_and_hold_no_wildcard(stack: Applied) -> None:
    iam = stack.client("iam")
    roles = [role for role in iam.list_roles()["Roles"] if role["RoleName"].startswith(stack.names.prefix)]
    assert len(roles) >= 8
    for role in roles:
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Condition"]["StringEquals"]["aws:SourceAccount"] == stack.settings.account_id
        assert iam.list_attached_role_policies(RoleName=role["RoleName"])["AttachedPolicies"] == []
        for policy in iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]:
            document = iam.get_role_policy(RoleName=role["RoleName"], PolicyName=policy)["PolicyDocument"]
            actions = [action for each in document["Statement"] for action in each["Action"]]
            assert actions, role["RoleName"]
            assert not [action for action in actions if "*" in action], role["RoleName"]


def test_catalog(stack: Applied) -> None:
    glue = stack.client("glue")
    databases = {each["Name"] for each in glue.get_databases()["DatabaseList"]}
    assert databases >= {stack.names.database(layer) for layer in LAYERS}
    found = glue.get_security_configuration(Name=f"{stack.names.prefix}-jobs")["SecurityConfiguration"]
    assert found["EncryptionConfiguration"]["S3Encryption"][0]["S3EncryptionMode"] == "SSE-KMS"
    workgroup = stack.client("athena").get_work_group(WorkGroup=stack.names.workgroup)["WorkGroup"]["Configuration"]
    assert workgroup["EnforceWorkGroupConfiguration"] is True
    assert workgroup["ResultConfiguration"]["EncryptionConfiguration"]["EncryptionOption"] == "SSE_KMS"


@pytest.mark.parametrize("image", IMAGES)
def test_images(stack: Applied, image: Any) -> None:
    names = [stack.names.repository(image)]
    (repository,) = stack.client("ecr").describe_repositories(repositoryNames=names)["repositories"]
    assert repository["imageTagMutability"] == "IMMUTABLE"
    assert repository["imageScanningConfiguration"]["scanOnPush"] is True
    assert repository["encryptionConfiguration"]["encryptionType"] == "KMS"


def test_logs_end_and_are_encrypted_and_alarms_know_about_missing_data(stack: Applied) -> None:
    groups = stack.client("logs").describe_log_groups()["logGroups"]
    ours = [group for group in groups if "retentionInDays" in group]
    assert len(ours) >= 3
    assert {group["retentionInDays"] for group in ours} == {stack.settings.observability.log_retention_days}
    assert all(group["kmsKeyId"] for group in ours)
    alarms = stack.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert alarms
    assert all(alarm["TreatMissingData"] for alarm in alarms)
