"""Buckets, each setting by itself; `s3_buckets` looks at whether a bucket has the settings at all."""

from typing import Any

from infra.policies.checks import (
    all_of,
    at_most,
    denies_plain_text,
    each_item,
    is_true,
    no_statement,
    not_one_of,
    one_of,
    present,
    some_statement,
)
from infra.policies.documents import Statement
from infra.policies.rule import ResourceRule, Rule
from infra.policies.sources import aws_docs, cis, ml_lens, security_hub


def s3_types(name: str) -> tuple[str, ...]:
    """The type token of version 7 of the AWS provider, and the one it still knows from version 6."""
    module = name[0].lower() + name[1:]
    return (f"aws:s3/{module}:{name}", f"aws:s3/{module}V2:{name}V2")


_ARN = "arn:aws:s3:::lake"
_BLOCK = {
    "bucket": "lake",
    "blockPublicAcls": True,
    "blockPublicPolicy": True,
    "ignorePublicAcls": True,
    "restrictPublicBuckets": True,
}
TLS_ONLY: dict[str, Any] = {
    "Sid": "TlsOnly",
    "Effect": "Deny",
    "Principal": {"AWS": "*"},
    "Action": "s3:*",
    "Resource": [_ARN, f"{_ARN}/*"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
_DELIVERY = {
    "Sid": "Logs",
    "Effect": "Allow",
    "Principal": {"Service": "logging.s3.amazonaws.com"},
    "Action": "s3:PutObject",
    "Resource": f"{_ARN}/*",
    "Condition": {"StringEquals": {"aws:SourceAccount": "111111111111"}},
}
_POLICY = {"bucket": "lake", "policy": {"Version": "2012-10-17", "Statement": [TLS_ONLY, _DELIVERY]}}
# The list of the control S3.6, https://docs.aws.amazon.com/securityhub/latest/userguide/s3-controls.html#s3-6
_ADMINISTRATION = frozenset(
    {
        "s3:deletebucketpolicy",
        "s3:putbucketacl",
        "s3:putbucketpolicy",
        "s3:putencryptionconfiguration",
        "s3:putobjectacl",
    }
)
_DEFAULT = "applyServerSideEncryptionByDefault"
_ENCRYPTED = {
    "bucket": "lake",
    "rules": [{_DEFAULT: {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": "key"}, "bucketKeyEnabled": True}],
}
_EXPIRE = {
    "id": "expire",
    "status": "Enabled",
    "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7},
    "noncurrentVersionExpiration": {"noncurrentDays": 90},
}


def _administers(statement: Statement) -> bool:
    foreign = statement.allows and any(each.startswith("AWS:") or each == "*" for each in statement.principals)
    return foreign and any(action == "s3:*" or action in _ADMINISTRATION for action in statement.actions)


def _with(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"policy": {"Version": "2012-10-17", "Statement": [TLS_ONLY, *statements]}}


def _with_key(rule: dict[str, Any]) -> str | None:
    default: dict[str, Any] = rule.get(_DEFAULT) or {}
    if default.get("sseAlgorithm") not in ("aws:kms", "aws:kms:dsse"):
        return f"sseAlgorithm is {default.get('sseAlgorithm')!r}; right is 'aws:kms' with a key of one's own"
    return None if default.get("kmsMasterKeyId") else "kmsMasterKeyId is not set, so AWS's own key encrypts"


def _reuses_key(rule: dict[str, Any]) -> str | None:
    default: dict[str, Any] = rule.get(_DEFAULT) or {}
    with_kms = default.get("sseAlgorithm") == "aws:kms"
    return "bucketKeyEnabled is not true" if with_kms and not rule.get("bucketKeyEnabled") else None


def _block(flag: str, title: str) -> ResourceRule:
    words = "".join(f"-{each.lower()}" if each.isupper() else each for each in flag)
    return ResourceRule(
        id=f"s3-{words}",
        title=title,
        sources=(security_hub("S3.8"), cis("2.1.4", "2.1.4")),
        severity="high",
        types=("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",),
        check=is_true(flag),
        passing=_BLOCK,
        broken_by={flag: False},
    )


RULES: tuple[Rule, ...] = (
    _block("blockPublicAcls", "A bucket refuses public ACLs"),
    _block("blockPublicPolicy", "A bucket refuses public policies"),
    _block("ignorePublicAcls", "A bucket ignores public ACLs"),
    _block("restrictPublicBuckets", "A bucket with a public policy answers its own account only"),
    ResourceRule(
        id="s3-versioning-enabled",
        title="Versioning is enabled, so that nothing is overwritten or deleted for good",
        sources=(security_hub("S3.14"), ml_lens("MLSEC03-BP04")),
        severity="medium",
        types=s3_types("BucketVersioning"),
        check=one_of("versioningConfiguration.status", "Enabled"),
        passing={"bucket": "lake", "versioningConfiguration": {"status": "Enabled"}},
        broken_by={"versioningConfiguration": {"status": "Suspended"}},
    ),
    ResourceRule(
        id="s3-encryption-kms",
        title="Objects are encrypted with a KMS key of one's own",
        sources=(security_hub("S3.17"), ml_lens("MLSEC02-BP01")),
        severity="medium",
        types=s3_types("BucketServerSideEncryptionConfiguration"),
        check=all_of(present("rules"), each_item("rules", _with_key)),
        passing=_ENCRYPTED,
        broken_by={"rules": [{_DEFAULT: {"sseAlgorithm": "AES256"}}]},
    ),
    ResourceRule(
        id="s3-bucket-key",
        title="A bucket key is used, so that KMS is not asked for every object",
        sources=(aws_docs("S3 Bucket Keys", "AmazonS3/latest/userguide/bucket-key.html"),),
        severity="low",
        types=s3_types("BucketServerSideEncryptionConfiguration"),
        check=each_item("rules", _reuses_key),
        passing=_ENCRYPTED,
        broken_by={"rules": [{_DEFAULT: {"sseAlgorithm": "aws:kms"}, "bucketKeyEnabled": False}]},
    ),
    ResourceRule(
        id="s3-ownership-enforced",
        title="Access control lists are off: the bucket's owner owns every object",
        sources=(security_hub("S3.12"),),
        severity="medium",
        types=("aws:s3/bucketOwnershipControls:BucketOwnershipControls",),
        check=one_of("rule.objectOwnership", "BucketOwnerEnforced"),
        passing={"bucket": "lake", "rule": {"objectOwnership": "BucketOwnerEnforced"}},
        broken_by={"rule": {"objectOwnership": "ObjectWriter"}},
    ),
    ResourceRule(
        id="s3-acl-private",
        title="No access control list opens a bucket",
        sources=(security_hub("S3.2"), security_hub("S3.3")),
        severity="critical",
        types=s3_types("BucketAcl"),
        check=one_of("acl", "private", None),
        passing={"bucket": "lake", "acl": "private"},
        broken_by={"acl": "public-read"},
    ),
    ResourceRule(
        id="s3-policy-tls",
        title="A bucket policy denies what does not come over TLS",
        sources=(security_hub("S3.5"), cis("2.1.1", "2.1.1")),
        severity="medium",
        types=("aws:s3/bucketPolicy:BucketPolicy",),
        check=some_statement("policy", denies_plain_text, "no statement denies requests without TLS"),
        passing=_POLICY,
        broken_by={"policy": {"Version": "2012-10-17", "Statement": [_DELIVERY]}},
    ),
    ResourceRule(
        id="s3-policy-not-public",
        title="A bucket policy allows nothing to everyone",
        sources=(security_hub("S3.2"), security_hub("S3.3")),
        severity="critical",
        types=("aws:s3/bucketPolicy:BucketPolicy",),
        check=no_statement(["policy"], lambda each: each.public, "allows everyone"),
        passing=_POLICY,
        broken_by=_with({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"{_ARN}/*"}),
    ),
    ResourceRule(
        id="s3-policy-no-administration",
        title="A bucket policy hands its administration to no other account",
        sources=(security_hub("S3.6"),),
        severity="high",
        types=("aws:s3/bucketPolicy:BucketPolicy",),
        check=no_statement(["policy"], _administers, "hands out the bucket's administration"),
        passing=_POLICY,
        broken_by=_with(
            {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::222222222222:root"},
                "Action": "s3:PutBucketPolicy",
                "Resource": _ARN,
            }
        ),
    ),
    ResourceRule(
        id="s3-lifecycle-active",
        title="A lifecycle rule is in force and ends old versions",
        sources=(security_hub("S3.10"), security_hub("S3.13"), ml_lens("MLSUS03-BP02")),
        severity="low",
        types=s3_types("BucketLifecycleConfiguration"),
        check=each_item(
            "rules",
            lambda rule: (
                "status is not 'Enabled'"
                if rule.get("status") != "Enabled"
                else None
                if rule.get("noncurrentVersionExpiration") or rule.get("expiration") or rule.get("transitions")
                else "expires nothing"
            ),
        ),
        passing={"bucket": "lake", "rules": [_EXPIRE]},
        broken_by={"rules": [{**_EXPIRE, "status": "Disabled"}]},
    ),
    ResourceRule(
        id="s3-lifecycle-uploads",
        title="Uploads that were never completed are removed",
        sources=(
            aws_docs(
                "Aborting multipart uploads", "AmazonS3/latest/userguide/mpu-abort-incomplete-mpu-lifecycle-config.html"
            ),
        ),
        severity="low",
        types=s3_types("BucketLifecycleConfiguration"),
        check=at_most("rules.0.abortIncompleteMultipartUpload.daysAfterInitiation", 30),
        passing={"bucket": "lake", "rules": [_EXPIRE]},
        broken_by={"rules": [{**_EXPIRE, "abortIncompleteMultipartUpload": None}]},
    ),
    ResourceRule(
        id="s3-logging-elsewhere",
        title="The access log goes to another bucket, below a folder of its own",
        sources=(security_hub("S3.9"), cis("3.4", "3.4")),
        severity="medium",
        types=s3_types("BucketLogging"),
        check=all_of(
            present("targetPrefix"),
            lambda properties: (
                "targetBucket is the bucket itself, which would log its own log"
                if properties.at("targetBucket") == properties.at("bucket")
                else None
            ),
        ),
        passing={"bucket": "lake", "targetBucket": "logs", "targetPrefix": "s3/lake/"},
        broken_by={"targetBucket": "lake"},
    ),
    ResourceRule(
        id="s3-force-destroy",
        title="A bucket is never emptied by deleting it",
        sources=(ml_lens("MLSEC03-BP02"),),
        severity="high",
        types=s3_types("Bucket"),
        check=not_one_of("forceDestroy", True),
        passing={"bucket": "lake", "forceDestroy": False},
        broken_by={"forceDestroy": True},
    ),
    ResourceRule(
        id="s3-object-plain",
        title="No object is given an ACL of its own",
        sources=(security_hub("S3.12"),),
        severity="medium",
        types=("aws:s3/bucketObject:BucketObject", "aws:s3/bucketObjectv2:BucketObjectv2"),
        check=one_of("acl", None, "private"),
        passing={"bucket": "artifacts", "key": "code.zip"},
        broken_by={"acl": "public-read"},
    ),
)
