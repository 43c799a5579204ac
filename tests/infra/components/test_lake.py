"""The buckets, `bucket.py` and `lake.py` together: what is true of each, then what differs."""

from pathlib import Path
from typing import Any

from infra.names import BUCKET_PURPOSES
from infra.settings import load_settings


def s3(program: Any, type_: str) -> dict[str, Any]:
    """Resources of the S3 type by the purpose of their bucket."""
    return {each.name: each for each in program.of(f"aws:s3/{type_[0].lower()}{type_[1:]}:{type_}")}


def test_every_purpose_has_its_bucket(declared: Any, project_dir: Path) -> None:
    for stack in ("local", "production"):
        names = load_settings(project_dir, stack).names
        assert {name: each.inputs["bucket"] for name, each in s3(declared(stack), "Bucket").items()} == {
            purpose: names.bucket(purpose) for purpose in BUCKET_PURPOSES
        }


def test_every_bucket_is_private_owned_and_versioned(program: Any) -> None:
    blocks, owners, versions = (
        s3(program, "BucketPublicAccessBlock"),
        s3(program, "BucketOwnershipControls"),
        s3(program, "BucketVersioning"),
    )
    for purpose in BUCKET_PURPOSES:
        block = blocks[purpose].inputs
        assert [
            block[key] for key in ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
        ] == [True] * 4
        assert owners[purpose].inputs["rule"] == {"objectOwnership": "BucketOwnerEnforced"}
        assert versions[purpose].inputs["versioningConfiguration"] == {"status": "Enabled"}


def test_every_bucket_is_encrypted_with_the_data_key_but_the_one_of_access_logs(program: Any) -> None:
    for purpose, encryption in s3(program, "BucketServerSideEncryptionConfiguration").items():
        (rule,) = encryption.inputs["rules"]
        default = rule["applyServerSideEncryptionByDefault"]
        if purpose == "logs":
            assert default == {"sseAlgorithm": "AES256"}
        else:
            assert default == {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": "arn:aws:made-up:::data"}
            assert rule["bucketKeyEnabled"] is True


def test_every_bucket_speaks_tls_only(program: Any) -> None:
    for purpose, policy in s3(program, "BucketPolicy").items():
        tls = next(each for each in policy.policy()["Statement"] if each["Sid"] == "TlsOnly")
        assert tls["Effect"] == "Deny"
        assert tls["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        arn = tls["Resource"][0]
        assert arn.endswith(f"-{purpose}")
        assert tls["Resource"] == [arn, f"{arn}/*"]


def test_every_bucket_but_the_logs_logs_its_access(program: Any) -> None:
    logging = s3(program, "BucketLogging")
    assert set(logging) == set(BUCKET_PURPOSES) - {"logs"}
    for each in logging.values():
        assert each.inputs["targetBucket"].endswith("-logs")
        assert each.inputs["targetPrefix"] == f"s3/{each.inputs['bucket']}/"


def test_logs_are_delivered_from_the_stacks_own_buckets(declared: Any) -> None:
    policy = s3(declared("staging"), "BucketPolicy")["logs"].policy()
    delivery = next(each for each in policy["Statement"] if each["Sid"] == "DeliverAccessLogs")
    assert delivery["Principal"] == {"Service": "logging.s3.amazonaws.com"}
    assert delivery["Condition"]["StringEquals"] == {"aws:SourceAccount": "333333333333"}
    assert len(delivery["Condition"]["ArnLike"]["aws:SourceArn"]) == len(BUCKET_PURPOSES) - 1


def test_only_landing_tells_eventbridge(program: Any) -> None:
    (notification,) = program.of("aws:s3/bucketNotification:BucketNotification")
    assert notification.name == "landing"
    assert notification.inputs["eventbridge"] is True


def test_what_is_left_over_expires(declared: Any) -> None:
    for purpose, lifecycle in s3(declared("production"), "BucketLifecycleConfiguration").items():
        rule, *_passing = lifecycle.inputs["rules"]
        assert rule["filter"] == {"prefix": ""}
        assert rule["status"] == "Enabled"
        assert rule["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 7}
        assert rule["noncurrentVersionExpiration"] == {"noncurrentDays": 365}
        kept = {"expiredObjectDeleteMarker": True}
        expires = {"capture": {"days": 90}, "query-results": {"days": 14}, "logs": {"days": 365}}
        assert rule["expiration"] == expires.get(purpose, kept)


def test_the_files_of_a_batch_expire_and_nothing_else_does_by_prefix(declared: Any) -> None:
    found = {
        (purpose, rule["filter"]["prefix"]): (rule["expiration"], rule["noncurrentVersionExpiration"], rule["status"])
        for purpose, lifecycle in s3(declared("production"), "BucketLifecycleConfiguration").items()
        for rule in lifecycle.inputs["rules"][1:]
    }
    soon = {"noncurrentDays": 1}
    assert found == {
        ("artifacts", "batch-input/"): ({"days": 7}, soon, "Enabled"),
        ("artifacts", "batch-output/"): ({"days": 30}, soon, "Enabled"),
    }
