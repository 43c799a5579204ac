"""Which IAM actions a call of the API is: mostly the operation's own name, and not everywhere."""

from typing import Final

_PREFIXES: Final = {"monitoring": "cloudwatch"}
"""Where IAM's prefix is not the name that requests are signed for."""

_RENAMED: Final[dict[str, tuple[str, ...]]] = {
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
    "s3:AbortMultipartUpload": ("s3:AbortMultipartUpload",),
    "s3:CompleteMultipartUpload": ("s3:PutObject",),
    "s3:CopyObject": ("s3:PutObject",),
    "s3:CreateMultipartUpload": ("s3:PutObject",),
    "s3:DeleteBucketCors": ("s3:PutBucketCORS",),
    "s3:DeleteBucketEncryption": ("s3:PutEncryptionConfiguration",),
    "s3:DeleteBucketLifecycle": ("s3:PutLifecycleConfiguration",),
    "s3:DeleteBucketOwnershipControls": ("s3:PutBucketOwnershipControls",),
    "s3:DeleteBucketReplication": ("s3:PutReplicationConfiguration",),
    "s3:DeleteBucketTagging": ("s3:PutBucketTagging",),
    "s3:DeleteObjects": ("s3:DeleteObject",),
    "s3:DeletePublicAccessBlock": ("s3:PutBucketPublicAccessBlock",),
    "s3:GetBucketAccelerateConfiguration": ("s3:GetAccelerateConfiguration",),
    "s3:GetBucketCors": ("s3:GetBucketCORS",),
    "s3:GetBucketEncryption": ("s3:GetEncryptionConfiguration",),
    "s3:GetBucketLifecycle": ("s3:GetLifecycleConfiguration",),
    "s3:GetBucketLifecycleConfiguration": ("s3:GetLifecycleConfiguration",),
    "s3:GetBucketNotificationConfiguration": ("s3:GetBucketNotification",),
    "s3:GetBucketReplication": ("s3:GetReplicationConfiguration",),
    "s3:GetObjectLockConfiguration": ("s3:GetBucketObjectLockConfiguration",),
    "s3:GetPublicAccessBlock": ("s3:GetBucketPublicAccessBlock",),
    "s3:HeadBucket": ("s3:ListBucket",),
    "s3:HeadObject": ("s3:GetObject",),
    "s3:ListBuckets": ("s3:ListAllMyBuckets",),
    "s3:ListMultipartUploads": ("s3:ListBucketMultipartUploads",),
    "s3:ListObjectVersions": ("s3:ListBucketVersions",),
    "s3:ListObjects": ("s3:ListBucket",),
    "s3:ListObjectsV2": ("s3:ListBucket",),
    "s3:ListParts": ("s3:ListMultipartUploadParts",),
    "s3:PutBucketAccelerateConfiguration": ("s3:PutAccelerateConfiguration",),
    "s3:PutBucketCors": ("s3:PutBucketCORS",),
    "s3:PutBucketEncryption": ("s3:PutEncryptionConfiguration",),
    "s3:PutBucketLifecycle": ("s3:PutLifecycleConfiguration",),
    "s3:PutBucketLifecycleConfiguration": ("s3:PutLifecycleConfiguration",),
    "s3:PutBucketNotificationConfiguration": ("s3:PutBucketNotification",),
    "s3:PutBucketReplication": ("s3:PutReplicationConfiguration",),
    "s3:PutObjectLockConfiguration": ("s3:PutBucketObjectLockConfiguration",),
    "s3:PutPublicAccessBlock": ("s3:PutBucketPublicAccessBlock",),
    "s3:SelectObjectContent": ("s3:GetObject",),
    "s3:UploadPart": ("s3:PutObject",),
    "s3:UploadPartCopy": ("s3:PutObject",),
    "kms:ReEncrypt": ("kms:ReEncryptFrom", "kms:ReEncryptTo"),
    "lambda:Invoke": ("lambda:InvokeFunction",),
    "ecr:DescribeImageScanFindings": ("ecr:DescribeImageScanFindings",),
    "ecr:ListImageReferrers": ("ecr:BatchGetImage",),
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsbudgetservice.html
    **{
        f"budgets:{verb}{what}": ("budgets:ModifyBudget",)
        for verb in ("Create", "Delete", "Update")
        for what in ("Budget", "Notification", "Subscriber")
    },
    **{
        f"budgets:{name}": ("budgets:ViewBudget",)
        for name in (
            "DescribeBudget",
            "DescribeBudgets",
            "DescribeNotificationsForBudget",
            "DescribeSubscribersForNotification",
        )
    },
}
_VERSIONED: Final = {
    "s3:DeleteObject": "s3:DeleteObjectVersion",
    "s3:GetObject": "s3:GetObjectVersion",
    "s3:GetObjectTagging": "s3:GetObjectVersionTagging",
    "s3:HeadObject": "s3:GetObjectVersion",
}


def actions(signed_for: str, operation: str, *, version: bool = False) -> tuple[str, ...]:
    """The actions that a call is; `version` where it names the version of an object."""
    name = f"{_PREFIXES.get(signed_for, signed_for)}:{operation}"
    if version and name in _VERSIONED:
        return (_VERSIONED[name],)
    return _RENAMED.get(name, (name,))
