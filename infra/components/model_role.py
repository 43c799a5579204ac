"""The role of one job of a model, and the permissions that several of them share.

The ARN is known once the permissions are attached, so that a service that checks a role when it is handed one (Step
Functions its log, SageMaker its model data) finds them there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.iam import Statement, policy_output, service_trust, statement
from infra.names import Image
from infra.platform_outputs import Bucket, PlatformOutputs


@dataclass(frozen=True, kw_only=True)
class ModelRoleArgs:
    """The job (`auto-mpg-train`), the service that assumes its role, and what it may do."""

    platform: PlatformOutputs
    job: str
    service: str
    description: str
    statements: Sequence[Statement]
    source_arns: Sequence[str] = ()


class ModelRole(pulumi.ComponentResource):
    """A role with one inline policy."""

    arn: pulumi.Output[str]
    name: str

    def __init__(self, name: str, args: ModelRoleArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("drivetrain:model:Role", name, None, opts)
        names = args.platform.names
        self.name = names.role(args.job)
        role = aws.iam.Role(
            name,
            name=self.name,
            path=names.role_path,
            permissions_boundary=names.boundary_arn,
            description=args.description,
            assume_role_policy=service_trust(args.service, args.platform.account_id, args.source_arns),
            opts=pulumi.ResourceOptions(parent=self),
        )
        policy = aws.iam.RolePolicy(
            name,
            name="permissions",
            role=role.name,
            policy=policy_output(*args.statements),
            opts=pulumi.ResourceOptions(parent=role),
        )
        self.arn = pulumi.Output.all(role.arn, policy.id).apply(lambda both: str(both[0]))
        self.register_outputs({"arn": self.arn})


def objects(sid: str, bucket: Bucket, folder: str, actions: Sequence[str]) -> Statement:
    """`actions` on the objects below `folder` (`runs/auto-mpg/`)."""
    return statement(sid, actions, [pulumi.Output.concat(bucket.arn, "/", folder, "*")])


def listing(sid: str, bucket: Bucket, folders: Sequence[str]) -> Statement:
    """List `folders` of a bucket, and no others."""
    prefixes = [f"{folder}*" for folder in folders]
    return statement(sid, ["s3:ListBucket"], [bucket.arn], {"StringLike": {"s3:prefix": prefixes}})


def data_key(platform: PlatformOutputs, services: Sequence[str] = ("s3",)) -> Statement:
    """Read and write what is encrypted with the data key, through `services` only."""
    through = [f"{service}.{platform.region}.amazonaws.com" for service in services]
    return statement(
        "DataKey",
        ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"],
        [platform.keys.data_arn],
        {"StringEquals": {"kms:ViaService": through}},
    )


def volume_key(platform: PlatformOutputs) -> Statement:
    """Let SageMaker encrypt a job's volumes with the data key, and nobody else do so.

    A job with a `VolumeKmsKeyId` asks it of its execution role.
    https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html
    """
    for_services = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    return statement("VolumeKey", ["kms:CreateGrant"], [platform.keys.data_arn], for_services)


def network_interfaces(platform: PlatformOutputs) -> list[Statement]:
    """What SageMaker needs to run a job's containers in the VPC."""
    everywhere = f"arn:aws:ec2:{platform.region}:{platform.account_id}"
    return [
        statement(
            "FindNetwork",
            [
                "ec2:DescribeDhcpOptions",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcs",
            ],
            ["*"],
            any_resource_because="EC2's Describe actions know no resources",
        ),
        statement(
            "NetworkInterfaces",
            [
                "ec2:CreateNetworkInterface",
                "ec2:CreateNetworkInterfacePermission",
                "ec2:DeleteNetworkInterface",
                "ec2:DeleteNetworkInterfacePermission",
            ],
            [f"{everywhere}:network-interface/*", f"{everywhere}:security-group/*", f"{everywhere}:subnet/*"],
        ),
    ]


def pull_image(platform: PlatformOutputs, image: Image) -> list[Statement]:
    """Pull one image from its repository."""
    return [
        statement(
            "RegistryToken",
            ["ecr:GetAuthorizationToken"],
            ["*"],
            any_resource_because="the token is for the whole registry",
        ),
        statement(
            "PullImage",
            ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            [platform.repositories[image].arn],
        ),
    ]


def job_logs(platform: PlatformOutputs, group: str, *, sid: str = "Logs") -> Statement:
    """Write to the log group `group`, a name or the beginning of one with `*`."""
    arn = f"arn:aws:logs:{platform.region}:{platform.account_id}:log-group:{group}"
    actions = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
    return statement(sid, actions, [arn, f"{arn}:*"])


def job_metrics(namespace: str) -> Statement:
    """Publish metrics in one namespace."""
    return statement(
        "Metrics",
        ["cloudwatch:PutMetricData"],
        ["*"],
        {"StringEquals": {"cloudwatch:namespace": namespace}},
        any_resource_because="CloudWatch metrics are no resources; the condition names the namespace",
    )
