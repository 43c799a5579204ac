"""Where Pulumi keeps the state of every stack of an account and region, and the key of its secrets."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.bootstrap.settings import BootstrapSettings
from infra.components.bucket import ProtectedBucket, ProtectedBucketArgs
from infra.components.keys import administered_by_account

_NONCURRENT_DAYS = 365
"""How long a former state can be had back; Pulumi writes one per step, of some hundred kB."""


@dataclass(frozen=True, kw_only=True)
class StateStoreArgs:
    """The account and region."""

    settings: BootstrapSettings


class StateStore(pulumi.ComponentResource):
    """A versioned, encrypted, private bucket, TLS only, and the KMS key that encrypts it and the secrets inside."""

    bucket: pulumi.Output[str]
    key_arn: pulumi.Output[str]

    def __init__(self, name: str, args: StateStoreArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("drivetrain:bootstrap:StateStore", name, None, opts)
        settings = args.settings
        names = settings.names("bootstrap")
        key = aws.kms.Key(
            "state",
            description=f"{names.project}: Pulumi's state and the secrets in it",
            policy=administered_by_account(settings.account_id),
            enable_key_rotation=True,
            rotation_period_in_days=365,
            deletion_window_in_days=30 if settings.protect else 7,
            opts=pulumi.ResourceOptions(parent=self, protect=settings.protect),
        )
        aws.kms.Alias(
            "state",
            name=f"alias/{names.state_key_alias}",
            target_key_id=key.key_id,
            opts=pulumi.ResourceOptions(parent=key),
        )
        bucket = ProtectedBucket(
            "state",
            ProtectedBucketArgs(
                bucket=names.state_bucket,
                key_arn=key.arn,
                noncurrent_days=_NONCURRENT_DAYS,
                protect=settings.protect,
            ),
            pulumi.ResourceOptions(parent=self),
        )
        self.bucket, self.key_arn = bucket.outputs.name, key.arn
        self.register_outputs({"bucket": self.bucket, "key_arn": self.key_arn})
