"""Where data lies: buckets, keys, catalog, repositories, logs."""

import json
from typing import Any

import pytest

from infra.names import BUCKET_PURPOSES, IMAGES, LAYERS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
KEYS = ("data", "logs", "messages")
each_bucket = pytest.mark.parametrize("purpose", BUCKET_PURPOSES)


@each_bucket
def test_buckets_are_encrypted_and_logged(stack: Any, purpose: Any) -> None:
    s3, bucket = stack.client("s3"), stack.names.bucket(purpose)
    (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    default = rule["ApplyServerSideEncryptionByDefault"]
    logging = s3.get_bucket_logging(Bucket=bucket).get("LoggingEnabled") or {}
    if purpose == "logs":
        assert (default["SSEAlgorithm"], rule["BucketKeyEnabled"]) == ("AES256", False)
        assert logging == {}
    else:
        key = stack.client("kms").describe_key(KeyId=f"alias/{stack.names.prefix}-data")["KeyMetadata"]["Arn"]
        assert (default["SSEAlgorithm"], default["KMSMasterKeyID"]) == ("aws:kms", key)
        assert rule["BucketKeyEnabled"] is True
        assert logging["TargetBucket"] == stack.names.bucket("logs")


@each_bucket
def test_buckets_are_private(stack: Any, purpose: Any) -> None:
    s3, bucket = stack.client("s3"), stack.names.bucket(purpose)
    block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert (set(block.values()), len(block)) == ({True}, 4)
    controls = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]
    assert controls["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    policy = stack.statements(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    tls = next(each for each in policy if each["Sid"] == "TlsOnly")
    assert tls["Effect"] == "Deny"
    assert tls["Principal"] in ("*", {"AWS": "*"})
    assert tls["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


@each_bucket
def test_buckets_keep_versions_as_long_as_the_settings_say(stack: Any, purpose: Any) -> None:
    s3, bucket = stack.client("s3"), stack.names.bucket(purpose)
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    lifecycle = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"][0]
    assert lifecycle["Status"] == "Enabled"
    assert lifecycle["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == 7
    assert lifecycle["NoncurrentVersionExpiration"]["NoncurrentDays"] == stack.settings.lake.noncurrent_version_days
    tags = {tag["Key"]: tag["Value"] for tag in s3.get_bucket_tagging(Bucket=bucket)["TagSet"]}
    assert tags.items() >= stack.settings.default_tags.items()


def test_only_landing_tells_eventbridge(stack: Any) -> None:
    s3 = stack.client("s3")
    for purpose in BUCKET_PURPOSES:
        notified = s3.get_bucket_notification_configuration(Bucket=stack.names.bucket(purpose))
        assert ("EventBridgeConfiguration" in notified) == (purpose == "landing"), purpose


def test_what_lands_becomes_an_event(stack: Any) -> None:
    sqs, events, s3 = (stack.client(service) for service in ("sqs", "events", "s3"))
    bucket, key = stack.names.bucket("landing"), "of-no-model/cars.csv"
    queue = sqs.create_queue(QueueName="landed")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {"source": ["aws.s3"], "detail-type": ["Object Created"], "detail": {"bucket": {"name": [bucket]}}}
    events.put_rule(Name="landed", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="landed", Targets=[{"Id": "queue", "Arn": arn}])
    try:
        s3.put_object(Bucket=bucket, Key=key, Body=b"name\n")
        (message,) = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=10)["Messages"]
    finally:
        events.remove_targets(Rule="landed", Ids=["queue"])
        events.delete_rule(Name="landed")
        sqs.delete_queue(QueueUrl=queue)
    assert json.loads(message["Body"])["detail"]["object"]["key"] == key


def test_keys_rotate_and_their_policies_name_actions(stack: Any) -> None:
    kms = stack.client("kms")
    names = stack.names
    bootstrapped = {f"alias/{names.state_key_alias}", f"alias/{names.signing_key_alias}"}
    listed = [alias for alias in kms.list_aliases()["Aliases"] if not alias["AliasName"].startswith("alias/aws/")]
    aliases = [alias for alias in listed if alias["AliasName"] not in bootstrapped]
    assert {alias["AliasName"] for alias in aliases} == {f"alias/{stack.names.prefix}-{purpose}" for purpose in KEYS}
    for alias in aliases:
        named = {"KeyId": alias["TargetKeyId"]}
        assert kms.describe_key(**named)["KeyMetadata"]["KeyManager"] == "CUSTOMER"
        assert kms.get_key_rotation_status(**named)["KeyRotationEnabled"] is True
        for each in stack.statements(kms.get_key_policy(**named, PolicyName="default")["Policy"]):
            assert not [action for action in each["Action"] if "*" in action]
            assert each["Principal"] != "*"


def test_catalog(stack: Any) -> None:
    glue = stack.client("glue")
    databases = {each["Name"] for each in glue.get_databases()["DatabaseList"]}
    assert databases >= {stack.names.database(layer) for layer in LAYERS}
    found = glue.get_security_configuration(Name=f"{stack.names.prefix}-jobs")["SecurityConfiguration"]
    assert found["EncryptionConfiguration"]["S3Encryption"][0]["S3EncryptionMode"] == "SSE-KMS"
    workgroup = stack.client("athena").get_work_group(WorkGroup=stack.names.workgroup)["WorkGroup"]["Configuration"]
    assert workgroup["EnforceWorkGroupConfiguration"] is True
    assert workgroup["ResultConfiguration"]["EncryptionConfiguration"]["EncryptionOption"] == "SSE_KMS"


def test_images_are_immutable_scanned_and_encrypted(stack: Any) -> None:
    repositories = stack.client("ecr").describe_repositories()["repositories"]
    assert {each["repositoryName"] for each in repositories} == {stack.names.repository(image) for image in IMAGES}
    for each in repositories:
        assert each["imageTagMutability"] == "IMMUTABLE"
        assert each["imageScanningConfiguration"]["scanOnPush"] is True
        assert each["encryptionConfiguration"]["encryptionType"] == "KMS"


def test_logs_are_kept_as_long_as_the_settings_say_and_encrypted(stack: Any) -> None:
    groups = stack.client("logs").describe_log_groups()["logGroups"]
    assert len(groups) >= 4
    days = stack.settings.observability.log_retention_days
    for group in groups:
        assert (group["retentionInDays"], "kmsKeyId" in group) == (days, True), group["logGroupName"]
