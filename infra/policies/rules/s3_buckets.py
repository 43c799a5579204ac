"""Whether each bucket has what a bucket must have: S3 keeps each setting apart, so that one is easily left out."""

from collections.abc import Callable

from infra.policies.checks import denies_plain_text
from infra.policies.resources import Properties, Resource, Stack
from infra.policies.rule import Rule, Severity, StackRule
from infra.policies.rules.s3 import TLS_ONLY, s3_types
from infra.policies.sources import Source, cis, ml_lens, security_hub

_BUCKETS = s3_types("Bucket")
_LOGGING = s3_types("BucketLogging")
_POLICY = ("aws:s3/bucketPolicy:BucketPolicy",)


def _settings(types: tuple[str, ...], bucket: Resource, stack: Stack) -> list[Resource]:
    # The program names the bucket; a program that leaves it to Pulumi would refer to it by its id, not known yet.
    return stack.referring(types, "bucket", bucket.properties.get("bucket"))


def _has(types: tuple[str, ...], what: str) -> Callable[[Resource, Stack], str | None]:
    def relation(bucket: Resource, stack: Stack) -> str | None:
        return None if _settings(types, bucket, stack) else f"no {what} is declared for the bucket"

    return relation


def _logged(bucket: Resource, stack: Stack) -> str | None:
    if _settings(_LOGGING, bucket, stack):
        return None
    receives = stack.referring(_LOGGING, "targetBucket", bucket.properties.get("bucket"))
    return None if receives else "no BucketLogging is declared for the bucket, and it receives no logs itself"


def _tls_only(bucket: Resource, stack: Stack) -> str | None:
    policies = _settings(_POLICY, bucket, stack)
    statements = [each for policy in policies for each in Properties(policy).statements("policy")]
    if any(denies_plain_text(each) for each in statements):
        return None
    return "no bucket policy denies requests without TLS"


def _example(type_: str, **properties: object) -> Resource:
    return Resource(type=type_, name="lake", properties=properties)


_BUCKET = _example(_BUCKETS[0], bucket="lake")


def _needs(
    id_: str, title: str, types: tuple[str, ...], sources: tuple[Source, ...], severity: Severity = "medium"
) -> StackRule:
    setting = types[0].rsplit(":", 1)[1]
    return StackRule(
        id=id_,
        title=title,
        sources=sources,
        severity=severity,
        types=_BUCKETS,
        relation=_has(types, setting),
        passing=(_BUCKET, _example(types[0], bucket="lake")),
        failing=(_BUCKET, _example(types[0], bucket="another")),
    )


RULES: tuple[Rule, ...] = (
    _needs(
        "s3-bucket-blocks-public-access",
        "Every bucket has a public access block",
        ("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",),
        (security_hub("S3.8"), cis("2.1.4", "2.1.4")),
        "high",
    ),
    _needs(
        "s3-bucket-versioned",
        "Every bucket says whether it is versioned",
        s3_types("BucketVersioning"),
        (security_hub("S3.14"), ml_lens("MLSEC03-BP04")),
    ),
    _needs(
        "s3-bucket-encrypted",
        "Every bucket says what encrypts it",
        s3_types("BucketServerSideEncryptionConfiguration"),
        (security_hub("S3.17"), ml_lens("MLSEC02-BP01")),
    ),
    _needs(
        "s3-bucket-without-acls",
        "Every bucket turns access control lists off",
        ("aws:s3/bucketOwnershipControls:BucketOwnershipControls",),
        (security_hub("S3.12"),),
    ),
    _needs(
        "s3-bucket-lifecycle",
        "Every bucket has a lifecycle",
        s3_types("BucketLifecycleConfiguration"),
        (security_hub("S3.10"), security_hub("S3.13"), ml_lens("MLSEC03-BP05")),
        "low",
    ),
    StackRule(
        id="s3-bucket-logged",
        title="Every bucket has an access log, except the one that receives them",
        sources=(security_hub("S3.9"), cis("3.4", "3.4"), ml_lens("MLSEC06-BP02")),
        severity="medium",
        types=_BUCKETS,
        relation=_logged,
        passing=(
            _BUCKET,
            Resource(type=_BUCKETS[0], name="logs", properties={"bucket": "logs"}),
            _example(_LOGGING[0], bucket="lake", targetBucket="logs"),
        ),
        failing=(_BUCKET,),
    ),
    StackRule(
        id="s3-bucket-tls",
        title="Every bucket has a policy that denies what does not come over TLS",
        sources=(security_hub("S3.5"), cis("2.1.1", "2.1.1")),
        severity="medium",
        types=_BUCKETS,
        relation=_tls_only,
        passing=(_BUCKET, _example(_POLICY[0], bucket="lake", policy={"Statement": [TLS_ONLY]})),
        failing=(_BUCKET, _example(_POLICY[0], bucket="lake", policy={"Statement": []})),
    ),
)
