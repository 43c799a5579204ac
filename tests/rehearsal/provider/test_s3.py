"""The types of S3 on a real moto server: made, read back, changed, read back, gone."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from handling import LIST, READ, TAGS, Make, changed, holds

from rehearsal.provider import lifecycle
from rehearsal.provider.aws_clients import EnvironmentClients
from rehearsal.provider.registry import handler_of
from rehearsal.provider.wire import ASSET, SIGNATURE

BUCKET_SETTINGS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "Versioning": (
        {"versioningConfiguration": {"status": "Enabled"}},
        {"versioningConfiguration": {"status": "Suspended"}},
    ),
    "ServerSideEncryptionConfiguration": (
        {"rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}, "bucketKeyEnabled": False}]},
        {
            "rules": [
                {
                    "applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": "alias/data"},
                    "bucketKeyEnabled": True,
                }
            ]
        },
    ),
    "PublicAccessBlock": (
        {
            "blockPublicAcls": True,
            "blockPublicPolicy": True,
            "ignorePublicAcls": True,
            "restrictPublicBuckets": True,
        },
        {
            "blockPublicAcls": True,
            "blockPublicPolicy": True,
            "ignorePublicAcls": True,
            "restrictPublicBuckets": False,
        },
    ),
    "OwnershipControls": (
        {"rule": {"objectOwnership": "BucketOwnerEnforced"}},
        {"rule": {"objectOwnership": "BucketOwnerPreferred"}},
    ),
    "LifecycleConfiguration": (
        {
            "rules": [
                {
                    "id": "expire",
                    "status": "Enabled",
                    "filter": {"prefix": ""},
                    "expiration": {"days": 3},
                    "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7},
                }
            ]
        },
        {"rules": [{"id": "expire", "status": "Enabled", "filter": {"prefix": "a/"}, "expiration": {"days": 5}}]},
    ),
    "Notification": ({"eventbridge": True}, {"eventbridge": False}),
    "Policy": (
        {"policy": READ.replace('"Action"', '"Principal": "*", "Action"')},
        {"policy": LIST.replace('"Action"', '"Principal": "*", "Action"')},
    ),
}


@pytest.mark.parametrize("name", sorted(BUCKET_SETTINGS))
def test_a_bucket_and_each_of_its_settings(aws: EnvironmentClients, made: Make, name: str) -> None:
    bucket, outputs = made("aws:s3/bucket:Bucket", {"bucket": f"drivetrain-{name.lower()[:20]}", **TAGS})
    assert holds(outputs, {"arn": f"arn:aws:s3:::{bucket}", "bucketRegion": "eu-west-1", **TAGS})
    token = f"aws:s3/bucket{name}:Bucket{name}"
    before, after = ({"bucket": bucket, **setting} for setting in BUCKET_SETTINGS[name])
    setting_id, setting = made(token, before)
    assert setting_id == bucket
    assert holds(setting, before)
    assert holds(changed(aws, token, setting_id, before, after), after)


def test_access_logs_need_a_bucket_that_takes_them(aws: EnvironmentClients, made: Make) -> None:
    logs, _ = made("aws:s3/bucket:Bucket", {"bucket": "drivetrain-logs", "forceDestroy": True})
    bucket, _ = made("aws:s3/bucket:Bucket", {"bucket": "drivetrain-logged"})
    deliver = {
        "Sid": "Deliver",
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{logs}/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [deliver]})
    made("aws:s3/bucketPolicy:BucketPolicy", {"bucket": logs, "policy": policy})
    inputs = {"bucket": bucket, "targetBucket": logs, "targetPrefix": "s3/"}
    _, outputs = made("aws:s3/bucketLogging:BucketLogging", inputs)
    assert holds(outputs, inputs)


def test_objects_are_put_again_and_all_their_versions_go(aws: EnvironmentClients, made: Make) -> None:
    bucket, _ = made("aws:s3/bucket:Bucket", {"bucket": "drivetrain-objects"})
    on = {"bucket": bucket, "versioningConfiguration": {"status": "Enabled"}}
    made("aws:s3/bucketVersioning:BucketVersioning", on)
    token = "aws:s3/bucketObject:BucketObject"
    inputs = {"bucket": bucket, "key": "jobs/a.py", "source": {SIGNATURE: ASSET, "text": "1"}, **TAGS}
    key, outputs = made(token, inputs)
    assert (key, outputs["tagsAll"]) == ("jobs/a.py", TAGS["tagsAll"])
    news = {**inputs, "source": {SIGNATURE: ASSET, "text": "22"}, "contentType": "text/x-python"}
    assert changed(aws, token, key, inputs, news)["contentType"] == "text/x-python"
    s3 = aws.client("s3")
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b"22"
    lifecycle.delete(handler_of(token), aws, key, outputs)
    assert not s3.list_object_versions(Bucket=bucket).get("Versions")
    assert handler_of(token).read(aws, key, news) is None


def test_a_full_bucket_goes_only_when_it_may(aws: EnvironmentClients, made: Make) -> None:
    token = "aws:s3/bucket:Bucket"
    bucket, outputs = made(token, {"bucket": "drivetrain-full", "forceDestroy": True})
    aws.client("s3").put_object(Bucket=bucket, Key="row", Body=b"1")
    with pytest.raises(lifecycle.AwsRefusedError, match="BucketNotEmpty"):
        lifecycle.delete(handler_of(token), aws, bucket, {**outputs, "forceDestroy": False})
    lifecycle.delete(handler_of(token), aws, bucket, outputs)
    assert handler_of(token).read(aws, bucket, outputs) is None
