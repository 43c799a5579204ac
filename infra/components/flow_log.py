"""The VPC's flow log: who tried to reach what, kept as long as the other logs."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.iam import job_role, statement
from infra.platform_outputs import KeyOutputs
from infra.settings import Settings


@dataclass(frozen=True, kw_only=True)
class FlowLogArgs:
    """The VPC whose traffic is logged."""

    settings: Settings
    keys: KeyOutputs
    vpc_id: pulumi.Input[str]


class FlowLog(pulumi.ComponentResource):
    """A flow log of all traffic, accepted and refused, into an encrypted log group."""

    def __init__(self, name: str, args: FlowLogArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("drivetrain:platform:FlowLog", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        settings = args.settings
        group = aws.cloudwatch.LogGroup(
            "flow-log",
            name=f"/aws/vpc/flow-logs/{settings.names.prefix}",
            retention_in_days=settings.observability.log_retention_days,
            kms_key_id=args.keys.logs_arn,
            opts=child,
        )
        role = job_role(
            "flow-log",
            names=settings.names,
            service="vpc-flow-logs.amazonaws.com",
            description="Writes the flow log of the VPC",
            statements=[
                statement(
                    "Find",
                    ["logs:DescribeLogGroups"],
                    ["*"],
                    any_resource_because="the action knows no resource",
                ),
                statement(
                    "Write",
                    ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                    [pulumi.Output.concat(group.arn, ":*")],
                ),
            ],
            opts=child,
        )
        aws.ec2.FlowLog(
            "flow-log",
            vpc_id=args.vpc_id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_destination=group.arn,
            iam_role_arn=role.arn,
            max_aggregation_interval=600,
            opts=child,
        )
        self.register_outputs({"log_group": group.name})
