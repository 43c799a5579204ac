"""All four stacks applied to one rehearsal, each in its own account, and what they hold read back through boto3."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.names import BUCKET_PURPOSES
from infra.settings import Settings, load_settings
from rehearsal import server
from rehearsal.engine import Plan, ProtectedError, UpResult, destroy, preview, up
from rehearsal.provider.aws_clients import EnvironmentClients

PROJECT = Path(__file__).resolve().parents[2]
STACKS = ("local", "dev", "staging", "production")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@dataclass(frozen=True, kw_only=True)
class Applied:
    settings: Settings
    environment: dict[str, str]
    state_file: Path
    result: UpResult

    def client(self, service: str) -> Any:
        return EnvironmentClients(self.environment).client(service)


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[server.Rehearsal]:
    running = server.start(tmp_path_factory.mktemp("rehearsal"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def stacks(rehearsal: server.Rehearsal, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Applied]:
    states = tmp_path_factory.mktemp("states")
    applied: dict[str, Applied] = {}
    for stack in STACKS:
        settings = load_settings(PROJECT, stack)
        environment = rehearsal.environment(settings.account_id, settings.region)
        state_file = states / f"{stack}.json"
        result = up(PROJECT, stack, state_file, environment)
        applied[stack] = Applied(settings=settings, environment=environment, state_file=state_file, result=result)
    return applied


@pytest.fixture(params=STACKS)
def stack(request: pytest.FixtureRequest, stacks: dict[str, Applied]) -> Applied:
    return stacks[request.param]


def statements(document: str | dict[str, Any]) -> list[dict[str, Any]]:
    parsed = json.loads(document) if isinstance(document, str) else document
    return list(parsed["Statement"])


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_everything_is_made_and_the_second_apply_changes_nothing(stack: Applied) -> None:
    assert len(stack.result.created) > 100
    again = up(PROJECT, stack.settings.stack, stack.state_file, stack.environment)
    assert (again.changed, len(again.same)) == (0, len(stack.result.created))
    plan: Plan = preview(PROJECT, stack.settings.stack, stack.state_file, stack.environment)
    assert plan.changes == ()


def test_the_buckets_are_encrypted_private_versioned_and_logged(stack: Applied) -> None:
    s3 = stack.client("s3")
    names = stack.settings.names
    assert {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]} == {
        names.bucket(purpose) for purpose in BUCKET_PURPOSES
    }
    for purpose in BUCKET_PURPOSES:
        named = {"Bucket": names.bucket(purpose)}
        rule = s3.get_bucket_encryption(**named)["ServerSideEncryptionConfiguration"]["Rules"][0]
        algorithm = rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]
        assert (algorithm, rule["BucketKeyEnabled"]) == (("AES256", False) if purpose == "logs" else ("aws:kms", True))
        block = s3.get_public_access_block(**named)["PublicAccessBlockConfiguration"]
        assert set(block.values()) == {True}
        assert len(block) == 4
        assert s3.get_bucket_versioning(**named)["Status"] == "Enabled"
        controls = s3.get_bucket_ownership_controls(**named)["OwnershipControls"]
        assert controls["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
        tls = next(each for each in statements(s3.get_bucket_policy(**named)["Policy"]) if each["Sid"] == "TlsOnly")
        assert tls["Effect"] == "Deny"
        assert tls["Principal"] in ("*", {"AWS": "*"})
        assert tls["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        lifecycle = s3.get_bucket_lifecycle_configuration(**named)["Rules"][0]
        assert lifecycle["Status"] == "Enabled"
        assert lifecycle["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] > 0
        days = lifecycle["NoncurrentVersionExpiration"]["NoncurrentDays"]
        assert days == stack.settings.lake.noncurrent_version_days
        logging = s3.get_bucket_logging(**named).get("LoggingEnabled")
        assert (logging or {}).get("TargetBucket") == (None if purpose == "logs" else names.bucket("logs"))
        notified = s3.get_bucket_notification_configuration(**named)
        assert ("EventBridgeConfiguration" in notified) == (purpose == "landing")


def test_default_tags_reach_what_is_made(stack: Applied) -> None:
    named = {"Bucket": stack.settings.names.bucket("lake")}
    tags = {tag["Key"]: tag["Value"] for tag in stack.client("s3").get_bucket_tagging(**named)["TagSet"]}
    assert tags == stack.settings.default_tags
    roles = stack.client("iam").list_roles()["Roles"]
    role = stack.client("iam").get_role(RoleName=roles[0]["RoleName"])["Role"]
    assert {tag["Key"]: tag["Value"] for tag in role["Tags"]} == stack.settings.default_tags


def test_keys_rotate_and_their_policies_name_actions(stack: Applied) -> None:
    kms = stack.client("kms")
    aliases = [alias for alias in kms.list_aliases()["Aliases"] if not alias["AliasName"].startswith("alias/aws/")]
    assert {alias["AliasName"] for alias in aliases} == {
        f"alias/{stack.settings.names.prefix}-{purpose}" for purpose in ("data", "logs", "messages")
    }
    for alias in aliases:
        named = {"KeyId": alias["TargetKeyId"]}
        assert kms.get_key_rotation_status(**named)["KeyRotationEnabled"]
        policy = kms.get_key_policy(**named, PolicyName="default")["Policy"]
        for each in statements(policy):
            assert not any("*" in action for action in listed(each["Action"]))
            assert each["Principal"] != "*"


def test_each_role_trusts_one_service_of_this_account_and_grants_no_wildcard(stack: Applied) -> None:
    iam = stack.client("iam")
    pages = iam.get_paginator("list_roles").paginate()
    roles = [role for page in pages for role in page["Roles"]]
    jobs = {f"{stack.settings.names.prefix}-auto-mpg-{job}" for job in ("ingest", "validate", "train", "evaluate")}
    assert jobs <= {role["RoleName"] for role in roles}
    for role in roles:
        (trust,) = statements(role["AssumeRolePolicyDocument"])
        assert list(trust["Principal"]) == ["Service"], role["RoleName"]
        assert trust["Condition"]["StringEquals"]["aws:SourceAccount"] == stack.settings.account_id
        assert iam.list_attached_role_policies(RoleName=role["RoleName"])["AttachedPolicies"] == []
        for name in iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]:
            document = iam.get_role_policy(RoleName=role["RoleName"], PolicyName=name)["PolicyDocument"]
            for each in statements(document):
                actions = listed(each["Action"])
                assert not any("*" in action for action in actions), (role["RoleName"], each["Sid"])
                if "iam:PassRole" in actions:
                    assert each["Condition"]["StringEquals"]["iam:PassedToService"]


def test_the_network_has_no_way_out(stack: Applied) -> None:
    ec2 = stack.client("ec2")
    vpcs = [vpc for vpc in ec2.describe_vpcs()["Vpcs"] if not vpc["IsDefault"]]
    assert len(vpcs) == 1
    vpc_id = vpcs[0]["VpcId"]
    of_vpc = [{"Name": "vpc-id", "Values": [vpc_id]}]
    subnets = ec2.describe_subnets(Filters=of_vpc)["Subnets"]
    assert len({subnet["AvailabilityZone"] for subnet in subnets}) == stack.settings.network.availability_zones
    assert not any(subnet["MapPublicIpOnLaunch"] for subnet in subnets)
    tables = ec2.describe_route_tables(Filters=of_vpc)["RouteTables"]
    targets = {route.get("GatewayId", "") for table in tables for route in table["Routes"]}
    assert not any(target.startswith(("igw-", "nat-")) for target in targets)
    attached = [{"Name": "attachment.vpc-id", "Values": [vpc_id]}]
    assert ec2.describe_internet_gateways(Filters=attached)["InternetGateways"] == []
    groups = {group["GroupName"]: group for group in ec2.describe_security_groups(Filters=of_vpc)["SecurityGroups"]}
    assert groups["default"]["IpPermissions"] == groups["default"]["IpPermissionsEgress"] == []
    for group in groups.values():
        permissions = [*group["IpPermissions"], *group["IpPermissionsEgress"]]
        assert not any(source for each in permissions for source in each["IpRanges"]), group["GroupName"]
    endpoints = ec2.describe_vpc_endpoints(Filters=of_vpc)["VpcEndpoints"]
    assert {endpoint["VpcEndpointType"] for endpoint in endpoints} == {"Gateway", "Interface"}
    assert all(statements(endpoint["PolicyDocument"]) for endpoint in endpoints)
    logs = ec2.describe_flow_logs(Filters=[{"Name": "resource-id", "Values": [vpc_id]}])["FlowLogs"]
    assert [log["TrafficType"] for log in logs] == ["ALL"]


def test_logs_are_kept_as_long_as_the_settings_say_and_encrypted(stack: Applied) -> None:
    groups = stack.client("logs").describe_log_groups()["logGroups"]
    assert groups
    days = stack.settings.observability.log_retention_days
    for group in groups:
        assert (group["retentionInDays"], "kmsKeyId" in group) == (days, True), group["logGroupName"]


def test_images_are_immutable_scanned_and_encrypted(stack: Applied) -> None:
    repositories = stack.client("ecr").describe_repositories()["repositories"]
    prefix = stack.settings.names.prefix
    assert {each["repositoryName"] for each in repositories} == {f"{prefix}-training", f"{prefix}-serving"}
    for each in repositories:
        assert each["imageTagMutability"] == "IMMUTABLE"
        assert each["imageScanningConfiguration"]["scanOnPush"] is True
        assert each["encryptionConfiguration"]["encryptionType"] == "KMS"


def test_the_pipeline_is_traced_logged_and_has_a_dead_letter_queue(stack: Applied) -> None:
    states = stack.client("stepfunctions")
    arn = stack.settings.names.state_machine_arn("auto-mpg")
    machine = states.describe_state_machine(stateMachineArn=arn)
    assert machine["tracingConfiguration"]["enabled"] is True
    assert machine["loggingConfiguration"]["level"] != "OFF"
    assert "createTrainingJob.sync" in machine["definition"]
    events = stack.client("events")
    rules = [rule for rule in events.list_rules()["Rules"] if rule["Name"].startswith(stack.settings.names.prefix)]
    assert rules
    for rule in rules:
        for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]:
            assert target["DeadLetterConfig"]["Arn"].startswith("arn:aws:sqs:")
    sqs = stack.client("sqs")
    for url in sqs.list_queues()["QueueUrls"]:
        held = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        assert held["KmsMasterKeyId"]
        assert statements(held["Policy"])


def test_alarms_say_what_missing_data_means_and_tell_an_encrypted_topic(stack: Applied) -> None:
    alarms = stack.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert alarms
    for alarm in alarms:
        assert alarm["TreatMissingData"] in {"breaching", "notBreaching", "ignore", "missing"}
        assert alarm["AlarmActions"]
    sns = stack.client("sns")
    for topic in sns.list_topics()["Topics"]:
        attributes = sns.get_topic_attributes(TopicArn=topic["TopicArn"])["Attributes"]
        assert attributes["KmsMasterKeyId"]


def test_the_stacks_see_nothing_of_each_other(stacks: dict[str, Applied]) -> None:
    owners = {name: applied.client("sts").get_caller_identity()["Account"] for name, applied in stacks.items()}
    assert owners == {name: applied.settings.account_id for name, applied in stacks.items()}
    for name, applied in stacks.items():
        buckets = [bucket["Name"] for bucket in applied.client("s3").list_buckets()["Buckets"]]
        assert all(bucket.startswith(f"drivetrain-{name}-") for bucket in buckets)


def test_protected_stacks_refuse_to_be_destroyed(stacks: dict[str, Applied]) -> None:
    applied = stacks["production"]
    assert applied.settings.protect
    with pytest.raises(ProtectedError, match="Bucket"):
        destroy(PROJECT, "production", applied.state_file, applied.environment)
    assert len(applied.client("s3").list_buckets()["Buckets"]) == len(BUCKET_PURPOSES)


def test_destroying_the_local_stack_leaves_nothing(rehearsal: server.Rehearsal, tmp_path: Path) -> None:
    settings = load_settings(PROJECT, "local")
    account = "555555555555"
    environment = rehearsal.environment(account, settings.region)
    override = {"account_id": account}
    state_file = tmp_path / "local.json"
    made = up(PROJECT, "local", state_file, environment, override)
    gone = destroy(PROJECT, "local", state_file, environment)
    assert sorted(gone.deleted) == sorted(made.created)
    clients = EnvironmentClients(environment)
    assert clients.client("s3").list_buckets()["Buckets"] == []
    assert clients.client("iam").list_roles()["Roles"] == []
    assert clients.client("logs").describe_log_groups()["logGroups"] == []
    assert clients.client("ecr").describe_repositories()["repositories"] == []
    assert clients.client("stepfunctions").list_state_machines()["stateMachines"] == []
    assert clients.client("glue").get_databases()["DatabaseList"] == []
    kms = clients.client("kms")
    keys = [kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"] for key in kms.list_keys()["Keys"]]
    assert {key["KeyState"] for key in keys if key["KeyManager"] == "CUSTOMER"} == {"PendingDeletion"}
    assert [vpc for vpc in clients.client("ec2").describe_vpcs()["Vpcs"] if not vpc["IsDefault"]] == []
    assert json.loads(state_file.read_text(encoding="utf-8"))["resources"] == []
