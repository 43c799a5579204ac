"""One bucket with everything a bucket must have here; the lake is made of these and of no other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from infra.iam import Statement, deny_all, policy_output
from infra.platform_outputs import Bucket

_ABORT_UPLOAD_DAYS = 7
"""No upload of ours takes that long; what is left of one costs money and shows in no listing."""
_REMOVED_DAYS = 1
"""How long a removed object below a passing prefix stays as an old version: the least that S3 takes."""


@dataclass(frozen=True, kw_only=True)
class ProtectedBucketArgs:
    """One bucket: its key, how long it keeps what, and where its access log goes."""

    bucket: str
    key_arn: pulumi.Input[str] | None
    """The KMS key; None for SSE-S3, which S3 demands of the bucket that receives access logs."""
    noncurrent_days: int
    expire_days: int | None = None
    """Days after which objects expire; None keeps them."""
    passing: Mapping[str, int] = field(default_factory=dict[str, int])
    """Days after which objects below a prefix expire, for good a day later, by prefix."""
    log_bucket: pulumi.Input[str] | None = None
    """The bucket that receives the access log, under a folder named after this bucket."""
    statements: Sequence[Statement] = ()
    """What the bucket policy says besides TLS only."""
    events: bool = False
    """Whether EventBridge hears of every object."""
    protect: bool


class ProtectedBucket(pulumi.ComponentResource):
    """A bucket that is encrypted, versioned, private, owner enforced, TLS only, with lifecycle and access log."""

    outputs: Bucket

    def __init__(self, name: str, args: ProtectedBucketArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("drivetrain:platform:ProtectedBucket", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._name = name
        bucket = aws.s3.Bucket(
            name,
            bucket=args.bucket,
            force_destroy=not args.protect,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        encryption = self._encrypt(bucket, args.key_arn)
        self._keep_private(bucket, args)
        self._expire(bucket, args)
        if args.log_bucket is not None:
            aws.s3.BucketLogging(
                name,
                bucket=bucket.bucket,
                target_bucket=args.log_bucket,
                target_prefix=f"s3/{args.bucket}/",
                opts=self._child,
            )
        if args.events:
            aws.s3.BucketNotification(name, bucket=bucket.bucket, eventbridge=True, opts=self._child)
        # The name as the encryption knows it: nothing is written before the bucket encrypts with the right key.
        self.outputs = Bucket(name=encryption.bucket, arn=bucket.arn)
        self.register_outputs({"name": self.outputs.name, "arn": self.outputs.arn})

    def _encrypt(
        self, bucket: aws.s3.Bucket, key_arn: pulumi.Input[str] | None
    ) -> aws.s3.BucketServerSideEncryptionConfiguration:
        default = aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
            sse_algorithm="AES256" if key_arn is None else "aws:kms", kms_master_key_id=key_arn
        )
        return aws.s3.BucketServerSideEncryptionConfiguration(
            self._name,
            bucket=bucket.bucket,
            rules=[
                aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
                    apply_server_side_encryption_by_default=default, bucket_key_enabled=key_arn is not None
                )
            ],
            opts=self._child,
        )

    def _keep_private(self, bucket: aws.s3.Bucket, args: ProtectedBucketArgs) -> None:
        block = aws.s3.BucketPublicAccessBlock(
            self._name,
            bucket=bucket.bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self._child,
        )
        aws.s3.BucketOwnershipControls(
            self._name,
            bucket=bucket.bucket,
            rule=aws.s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
            opts=self._child,
        )
        arn = f"arn:aws:s3:::{args.bucket}"
        tls_only = deny_all("TlsOnly", "s3", [arn, f"{arn}/*"], {"Bool": {"aws:SecureTransport": "false"}})
        self.policy = aws.s3.BucketPolicy(
            self._name,
            bucket=bucket.bucket,
            policy=policy_output(tls_only, *args.statements),
            # S3 answers 409 when the two are changed at the same time.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[block]),
        )

    def _expire(self, bucket: aws.s3.Bucket, args: ProtectedBucketArgs) -> None:
        versioning = aws.s3.BucketVersioning(
            self._name,
            bucket=bucket.bucket,
            versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
            opts=self._child,
        )
        aws.s3.BucketLifecycleConfiguration(
            self._name,
            bucket=bucket.bucket,
            rules=_lifecycle(args),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[versioning]),
        )


def _lifecycle(args: ProtectedBucketArgs) -> list[aws.s3.BucketLifecycleConfigurationRuleArgs]:
    """One rule for the whole bucket and one for each passing prefix; of two that fit, S3 follows the earlier."""
    expiration = (
        aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(expired_object_delete_marker=True)
        if args.expire_days is None
        else aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=args.expire_days)
    )
    days = aws.s3.BucketLifecycleConfigurationRuleExpirationArgs
    return [
        _rule("expire", "", expiration, args.noncurrent_days),
        *(
            _rule(f"expire-{prefix.rstrip('/')}", prefix, days(days=limit), _REMOVED_DAYS)
            for prefix, limit in args.passing.items()
        ),
    ]


def _rule(
    name: str, prefix: str, expiration: aws.s3.BucketLifecycleConfigurationRuleExpirationArgs, noncurrent_days: int
) -> aws.s3.BucketLifecycleConfigurationRuleArgs:
    return aws.s3.BucketLifecycleConfigurationRuleArgs(
        id=name,
        status="Enabled",
        filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=prefix),
        abort_incomplete_multipart_upload=aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
            days_after_initiation=_ABORT_UPLOAD_DAYS
        ),
        expiration=expiration,
        noncurrent_version_expiration=aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
            noncurrent_days=noncurrent_days
        ),
    )
