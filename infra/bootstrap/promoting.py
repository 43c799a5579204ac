"""What the next environment reads with, to take over what was proven in this one: released artefacts and their images.

A job that promotes holds two roles at once: this one of the account it comes from, which writes nothing, and the
deploy role of the account it goes to, which reaches nothing here. No resource's policy names another account.
"""

from infra.bootstrap.reach import Reach
from infra.iam import Statement, statement


def promoting(reach: Reach) -> list[Statement]:
    """Read artefacts, evaluations, proposals, packages and images of the stack; check its signatures."""
    artifacts = reach.bucket("artifacts")
    through_s3 = {"StringEquals": {"kms:ViaService": f"s3.{reach.names.region}.amazonaws.com"}}
    folders = ("models", "proposals", "runs")
    pull = ("BatchGetImage", "DescribeImages", "GetDownloadUrlForLayer")
    return [
        statement("Released", ["s3:GetObject"], [f"{artifacts}/{folder}/*" for folder in folders]),
        statement(
            "ListReleased",
            ["s3:ListBucket"],
            [artifacts],
            {"StringLike": {"s3:prefix": [f"{folder}/*" for folder in folders]}},
        ),
        statement("ReleasedKey", ["kms:Decrypt"], reach.arn("kms", "key/*"), {**reach.owned, **through_s3}),
        statement("CheckSignatures", ["kms:DescribeKey", "kms:Verify"], [reach.signing_key_arn]),
        statement(
            "Packages", ["sagemaker:DescribeModelPackage"], reach.arn("sagemaker", f"model-package/{reach.prefix}-*")
        ),
        statement("Images", [f"ecr:{each}" for each in pull], reach.arn("ecr", f"repository/{reach.prefix}-*")),
    ]
