"""What the VPC can reach of AWS: one interface endpoint per service, each open to this account's calls alone.

The table below is the whole way out of the VPC besides S3: what is not in it, a job can not call, and what no job's
role allows is not in it. STS is not: Glue and SageMaker hand a job its credentials, and no job assumes another role.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.iam import policy_document, statement
from infra.settings import Settings

ENDPOINT_ACTIONS: dict[str, tuple[str, ...]] = {
    "ecr.api": ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetAuthorizationToken"),
    "ecr.dkr": ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"),
    "glue": (
        "glue:CreateTable",
        "glue:GetConnection",
        "glue:GetDatabase",
        "glue:GetSecurityConfiguration",
        "glue:GetTable",
        "glue:UpdateTable",
    ),
    "kms": ("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"),
    "lakeformation": ("lakeformation:GetDataAccess",),
    "logs": (
        "logs:AssociateKmsKey",
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:DescribeLogStreams",
        "logs:PutLogEvents",
    ),
    "monitoring": ("cloudwatch:PutMetricData",),
}
"""What the jobs call, by the last part of the endpoint's service name."""


@dataclass(frozen=True, kw_only=True)
class InterfaceEndpointsArgs:
    """Where the endpoints stand and who may reach them."""

    settings: Settings
    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    security_group_id: pulumi.Input[str]


class InterfaceEndpoints(pulumi.ComponentResource):
    """One endpoint per service, in every zone, under the service's ordinary host name."""

    def __init__(self, name: str, args: InterfaceEndpointsArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("drivetrain:platform:InterfaceEndpoints", name, None, opts)
        for service, actions in ENDPOINT_ACTIONS.items():
            aws.ec2.VpcEndpoint(
                service.replace(".", "-"),
                vpc_id=args.vpc_id,
                service_name=f"com.amazonaws.{args.settings.region}.{service}",
                vpc_endpoint_type="Interface",
                private_dns_enabled=True,
                subnet_ids=args.subnet_ids,
                security_group_ids=[args.security_group_id],
                policy=endpoint_policy(actions, args.settings.account_id),
                tags={"Name": f"{args.settings.names.prefix}-{service}"},
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({})


def endpoint_policy(actions: Sequence[str], account_id: str) -> str:
    """`actions`, called by this account's principals: no other account's credentials carry data out through here."""
    return policy_document(
        statement(
            "CallsOfThisAccount",
            actions,
            ["*"],
            {"StringEquals": {"aws:PrincipalAccount": account_id}},
            principals="*",
            any_resource_because="the caller's own policy names the resource; the endpoint bounds account and action",
        )
    )
