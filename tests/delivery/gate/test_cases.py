"""The table of what is lost or gets less: data, identity, and what protects, encrypts, records or alarms."""

from typing import Any

import pytest

from infra.policies.resources import UNKNOWN
from tests.delivery.gate.cases import (
    ALARM,
    BLOCK,
    BUCKET,
    BUDGET,
    CONFIGURATION,
    ENCRYPTION,
    ENDPOINT,
    GROUP,
    KEY,
    LIFECYCLE,
    MACHINE,
    MODEL,
    POLICY,
    REPOSITORY,
    ROLE,
    WORKGROUP,
    Case,
    assert_stopped,
    changed,
    gone,
    replaced,
)
from tests.delivery.gate.steps import step

DATA_AND_IDENTITY = [
    *(
        form(what, type_, rule)
        for form in (gone, replaced)
        for what, type_, rule in (
            ("a bucket", BUCKET, "delete-data"),
            ("a database", "aws:glue/catalogDatabase:CatalogDatabase", "delete-data"),
            ("a table", "aws:dynamodb/table:Table", "delete-data"),
            ("a key", KEY, "delete-data"),
            ("a repository", REPOSITORY, "delete-data"),
            ("a group of packages", "aws:sagemaker/modelPackageGroup:ModelPackageGroup", "delete-data"),
            ("a log group", GROUP, "delete-data"),
            ("a secret", "aws:secretsmanager/secret:Secret", "delete-data"),
            ("a queue", "aws:sqs/queue:Queue", "delete-data"),
            ("a role", ROLE, "delete-identity"),
            ("an identity provider", "aws:iam/openIdConnectProvider:OpenIdConnectProvider", "delete-identity"),
            ("a key's alias", "aws:kms/alias:Alias", "delete-identity"),
            ("an endpoint", ENDPOINT, "take-down"),
            ("a pipeline", MACHINE, "take-down"),
        )
    ),
    Case(
        "a new release: model and configuration replaced",
        (*replaced("", MODEL, "").steps, *replaced("", CONFIGURATION, "").steps),
    ),
    Case("delete what holds nothing", (step("delete", "aws:cloudwatch/dashboard:Dashboard"),)),
    Case("forget a bucket that is kept elsewhere", (step("discard", BUCKET),), (("delete-data", "is deleted"),)),
]

GUARDS = [
    gone("a public access block", BLOCK, "open-to-public"),
    gone("ownership controls", "aws:s3/bucketOwnershipControls:BucketOwnershipControls", "open-to-public"),
    gone("default encryption", ENCRYPTION, "remove-encryption"),
    gone("versioning", "aws:s3/bucketVersioning:BucketVersioning", "remove-protection"),
    gone("an access log", "aws:s3/bucketLogging:BucketLogging", "remove-logging"),
    gone("a bucket's policy", POLICY, "remove-protection"),
    gone("a flow log", "aws:ec2/flowLog:FlowLog", "remove-logging"),
    gone("a security configuration", "aws:glue/securityConfiguration:SecurityConfiguration", "remove-encryption"),
    gone("an alarm", ALARM, "remove-alarm"),
    gone("the alarms' topic", "aws:sns/topic:Topic", "remove-alarm"),
    gone("a budget", BUDGET, "remove-alarm"),
    Case(
        "a bucket goes with what guards it: told once",
        (
            step("delete", BUCKET, "lake", old={"bucket": "lake"}),
            step("delete", BLOCK, "lake", old={"bucket": "lake"}),
            step("delete", POLICY, "lake", old={"bucket": "lake"}),
        ),
        (("delete-data", "is deleted"),),
    ),
]


def _deep(path: str, value: Any) -> Any:
    for part in reversed(path.split(".")):
        value = [value] if part == "0" else {part: value}
    return value


SETTINGS = [
    changed(f"{path} from {old} to {new}", type_, _deep(path, old), _deep(path, new), (rule, path.split(".")[0]))
    for rule, type_, path, old, new in (
        (
            "remove-encryption",
            ENCRYPTION,
            "rules.0.applyServerSideEncryptionByDefault.sseAlgorithm",
            "aws:kms",
            "AES256",
        ),
        ("remove-encryption", ENCRYPTION, "rules.0.applyServerSideEncryptionByDefault.kmsMasterKeyId", "key", None),
        ("remove-encryption", GROUP, "kmsKeyId", "key", None),
        ("remove-encryption", "aws:sns/topic:Topic", "kmsMasterKeyId", "key", ""),
        ("remove-encryption", CONFIGURATION, "kmsKeyArn", "key", None),
        ("remove-encryption", CONFIGURATION, "dataCaptureConfig.kmsKeyId", "key", None),
        ("remove-encryption", MACHINE, "encryptionConfiguration.kmsKeyId", "key", None),
        ("remove-encryption", "aws:glue/job:Job", "securityConfiguration", "jobs", None),
        ("remove-logging", GROUP, "retentionInDays", 365, 30),
        ("remove-logging", GROUP, "retentionInDays", 0, 365),
        ("remove-logging", CONFIGURATION, "dataCaptureConfig.enableCapture", True, False),
        ("remove-logging", MACHINE, "loggingConfiguration.level", "ALL", "ERROR"),
        ("remove-logging", MACHINE, "tracingConfiguration.enabled", True, False),
        ("remove-logging", WORKGROUP, "configuration.publishCloudwatchMetricsEnabled", True, False),
        ("remove-logging", "aws:ec2/flowLog:FlowLog", "trafficType", "ALL", "ACCEPT"),
        (
            "remove-protection",
            "aws:s3/bucketVersioning:BucketVersioning",
            "versioningConfiguration.status",
            "Enabled",
            "Suspended",
        ),
        ("remove-protection", BUCKET, "forceDestroy", False, True),
        ("remove-protection", LIFECYCLE, "rules.0.expiration.days", 365, 30),
        ("remove-protection", LIFECYCLE, "rules.0.expiration.days", None, 30),
        ("remove-protection", LIFECYCLE, "rules.0.noncurrentVersionExpiration.noncurrentDays", 90, 1),
        ("remove-protection", KEY, "deletionWindowInDays", 30, 7),
        ("remove-protection", KEY, "enableKeyRotation", True, False),
        ("remove-protection", KEY, "isEnabled", True, False),
        ("remove-protection", REPOSITORY, "imageTagMutability", "IMMUTABLE", "MUTABLE"),
        ("remove-protection", REPOSITORY, "forceDelete", False, True),
        ("remove-protection", REPOSITORY, "imageScanningConfiguration.scanOnPush", True, False),
        ("remove-protection", MODEL, "enableNetworkIsolation", True, False),
        ("remove-protection", MODEL, "vpcConfig.subnets", ["a"], None),
        ("remove-protection", WORKGROUP, "configuration.enforceWorkgroupConfiguration", True, False),
        ("remove-alarm", ALARM, "alarmActions", ["topic"], []),
        ("remove-alarm", ALARM, "actionsEnabled", True, False),
        (
            "remove-alarm",
            ENDPOINT,
            "deploymentConfig.autoRollbackConfiguration.alarms",
            [{"alarmName": "a"}, {"alarmName": "b"}],
            [{"alarmName": "a"}],
        ),
        ("remove-alarm", BUDGET, "notifications", [{"threshold": 80}], []),
    )
    if path != "vpcConfig.subnets"
]

HARMLESS = [
    changed(what, type_, _deep(path, old), _deep(path, new))
    for what, type_, path, old, new in (
        ("more days", GROUP, "retentionInDays", 30, 365),
        ("for ever", GROUP, "retentionInDays", 30, 0),
        (
            "encryption with KMS",
            ENCRYPTION,
            "rules.0.applyServerSideEncryptionByDefault.sseAlgorithm",
            "AES256",
            "aws:kms",
        ),
        ("another key", GROUP, "kmsKeyId", "key", "another"),
        ("a key that is yet to be made", GROUP, "kmsKeyId", "key", UNKNOWN),
        ("a longer window", KEY, "deletionWindowInDays", 7, 30),
        ("one alarm more", ALARM, "alarmActions", ["a"], ["a", "b"]),
        ("a topic that is yet to be made", ALARM, "alarmActions", ["a"], [UNKNOWN]),
        ("expiring later", LIFECYCLE, "rules.0.expiration.days", 30, 365),
        ("no longer expiring", LIFECYCLE, "rules.0.expiration.days", 30, None),
        ("a description", "aws:ec2/vpc:Vpc", "tags.Name", "a", "b"),
    )
]

PROTECTION = [
    Case(
        "protect lifted",
        (step("same", BUCKET, protect=True, unprotected=True),),
        (("remove-protection", "protect is lifted"),),
    ),
    changed(
        "protect lifted with another change",
        KEY,
        {"description": "a"},
        {"description": "b"},
        ("remove-protection", "protect"),
        protect=True,
        unprotected=True,
    ),
    changed(
        "a model without its subnets", MODEL, {"vpcConfig": {"subnets": ["a"]}}, {}, ("remove-protection", "vpcConfig")
    ),
    Case(
        "a release without isolation",
        (
            step(
                "create-replacement", MODEL, old={"enableNetworkIsolation": True}, new={"enableNetworkIsolation": False}
            ),
        ),
        (("remove-protection", "enableNetworkIsolation"),),
    ),
    Case(
        "an endpoint without a rollback",
        (
            step(
                "update",
                ENDPOINT,
                old={"deploymentConfig": {"autoRollbackConfiguration": {"alarms": [{"alarmName": "a"}]}}},
                new={},
            ),
        ),
        (("remove-alarm", "alarms"),),
    ),
]

CASES = [*DATA_AND_IDENTITY, *GUARDS, *SETTINGS, *HARMLESS, *PROTECTION]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
def test_what_a_change_is_stopped_for(case: Case) -> None:
    assert_stopped(case)


def test_the_cases_are_told_apart() -> None:
    assert len({case.what for case in CASES}) == len(CASES) >= 80
