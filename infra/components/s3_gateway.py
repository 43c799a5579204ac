"""The VPC's way to S3: a gateway endpoint that reaches the stack's own buckets and the layers of ECR images."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.iam import policy_document, statement
from infra.names import BUCKET_PURPOSES
from infra.settings import Settings

_OBJECTS = (
    "s3:AbortMultipartUpload",
    "s3:DeleteObject",
    "s3:GetObject",
    "s3:GetObjectAttributes",
    "s3:GetObjectVersion",
    "s3:ListMultipartUploadParts",
    "s3:PutObject",
    "s3:PutObjectTagging",
)
_BUCKETS = ("s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads")


@dataclass(frozen=True, kw_only=True)
class S3GatewayArgs:
    """The VPC, and the route tables that lead to S3."""

    settings: Settings
    vpc_id: pulumi.Input[str]
    route_table_ids: Sequence[pulumi.Input[str]]


class S3Gateway(pulumi.ComponentResource):
    """A gateway endpoint with a policy; it costs nothing and needs no address."""

    prefix_list_id: pulumi.Output[str]
    """The addresses of S3 in the region, for security group rules."""

    def __init__(self, name: str, args: S3GatewayArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("drivetrain:platform:S3Gateway", name, None, opts)
        endpoint = aws.ec2.VpcEndpoint(
            "s3",
            vpc_id=args.vpc_id,
            service_name=f"com.amazonaws.{args.settings.region}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=args.route_table_ids,
            policy=s3_gateway_policy(args.settings),
            tags={"Name": f"{args.settings.names.prefix}-s3"},
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.prefix_list_id = endpoint.prefix_list_id
        self.register_outputs({"prefix_list_id": self.prefix_list_id})


def s3_gateway_policy(settings: Settings) -> str:
    """The stack's buckets for this account's principals, and ECR's layers for whoever holds a link to one."""
    arns = [f"arn:aws:s3:::{settings.names.bucket(purpose)}" for purpose in BUCKET_PURPOSES]
    this_account = {"StringEquals": {"aws:PrincipalAccount": settings.account_id}}
    return policy_document(
        statement("Objects", _OBJECTS, [f"{arn}/*" for arn in arns], this_account, principals="*"),
        statement("Buckets", _BUCKETS, arns, this_account, principals="*"),
        # Links to layers are signed by ECR's own account.
        # https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html
        statement(
            "ImageLayers",
            ["s3:GetObject"],
            [f"arn:aws:s3:::prod-{settings.region}-starport-layer-bucket/*"],
            principals="*",
        ),
    )
