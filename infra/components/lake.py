"""The buckets: what producers land, the lake itself, artefacts, captured traffic, query results and access logs."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from infra.components.bucket import ProtectedBucket, ProtectedBucketArgs
from infra.iam import Statement, statement
from infra.names import BUCKET_PURPOSES, BucketPurpose
from infra.platform_outputs import Bucket, KeyOutputs
from infra.settings import Settings

_PASSING = {"batch-input/": 7, "batch-output/": 30}
"""Days that a batch's files last (delivery/batch/run.py): its parts are removed by the run itself unless that is
killed, and the list of the rows it refused is there to be read soon after."""


@dataclass(frozen=True, kw_only=True)
class LakeArgs:
    """The stack, and the key of its data."""

    settings: Settings
    keys: KeyOutputs


class Lake(pulumi.ComponentResource):
    """Every bucket of a stack, by purpose."""

    outputs: Mapping[BucketPurpose, Bucket]

    def __init__(self, name: str, args: LakeArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("drivetrain:platform:Lake", name, None, opts)
        settings = args.settings
        logs = self._logs_bucket(settings)
        expire_days: dict[BucketPurpose, int] = {
            "capture": settings.lake.capture_days,
            "query-results": settings.lake.query_result_days,
        }
        buckets: dict[BucketPurpose, Bucket] = {"logs": logs.outputs}
        for purpose in BUCKET_PURPOSES:
            if purpose != "logs":
                buckets[purpose] = ProtectedBucket(
                    purpose,
                    ProtectedBucketArgs(
                        bucket=settings.names.bucket(purpose),
                        key_arn=args.keys.data_arn,
                        noncurrent_days=settings.lake.noncurrent_version_days,
                        expire_days=expire_days.get(purpose),
                        passing=_PASSING if purpose == "artifacts" else {},
                        # The bucket as its policy knows it: S3 checks that it may deliver before it accepts the target.
                        log_bucket=logs.policy.bucket,
                        events=purpose == "landing",
                        protect=settings.protect,
                    ),
                    pulumi.ResourceOptions(parent=self),
                ).outputs
        self.outputs = buckets
        self.register_outputs({purpose: bucket.name for purpose, bucket in buckets.items()})

    def _logs_bucket(self, settings: Settings) -> ProtectedBucket:
        """The bucket of access logs: SSE-S3, as S3 delivers none into a bucket whose default is SSE-KMS.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html. It logs no access to
        itself, which would never end.
        """
        return ProtectedBucket(
            "logs",
            ProtectedBucketArgs(
                bucket=settings.names.bucket("logs"),
                key_arn=None,
                noncurrent_days=settings.lake.noncurrent_version_days,
                expire_days=settings.lake.access_log_days,
                statements=[_log_delivery(settings)],
                protect=settings.protect,
            ),
            pulumi.ResourceOptions(parent=self),
        )


def _log_delivery(settings: Settings) -> Statement:
    names = settings.names
    sources = [f"arn:aws:s3:::{names.bucket(purpose)}" for purpose in BUCKET_PURPOSES if purpose != "logs"]
    return statement(
        "DeliverAccessLogs",
        ["s3:PutObject"],
        [f"arn:aws:s3:::{names.bucket('logs')}/*"],
        {"ArnLike": {"aws:SourceArn": sources}, "StringEquals": {"aws:SourceAccount": settings.account_id}},
        principals={"Service": ["logging.s3.amazonaws.com"]},
    )
