"""The VPC that jobs and endpoints run in: private subnets, no route to the internet, groups that refer to groups."""

import ipaddress
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.flow_log import FlowLog, FlowLogArgs
from infra.components.interface_endpoints import InterfaceEndpoints, InterfaceEndpointsArgs
from infra.components.s3_gateway import S3Gateway, S3GatewayArgs
from infra.components.security_groups import SecurityGroups, SecurityGroupsArgs
from infra.platform_outputs import KeyOutputs, NetworkOutputs
from infra.settings import NetworkSettings, Settings


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    """The stack, and the keys of its logs."""

    settings: Settings
    keys: KeyOutputs


@dataclass(frozen=True, kw_only=True)
class Zone:
    """One availability zone and the block of addresses of its subnet."""

    name: str
    cidr: str


class Network(pulumi.ComponentResource):
    """A VPC whose only ways out are the S3 gateway and the interface endpoints."""

    outputs: NetworkOutputs

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("drivetrain:platform:Network", name, None, opts)
        settings = args.settings
        self._child = pulumi.ResourceOptions(parent=self)
        self._prefix = settings.names.prefix
        vpc = self._vpc(settings.network)
        routes = aws.ec2.RouteTable(
            "private", vpc_id=vpc.id, tags={"Name": f"{self._prefix}-private"}, opts=self._child
        )
        subnets = {zone: self._subnet(zone, vpc, routes) for zone in zones(settings.region, settings.network)}
        subnet_ids = [subnet.id for subnet in subnets.values()]
        gateway = S3Gateway(
            "s3", S3GatewayArgs(settings=settings, vpc_id=vpc.id, route_table_ids=[routes.id]), self._child
        )
        groups = SecurityGroups(
            "groups",
            SecurityGroupsArgs(prefix=self._prefix, vpc_id=vpc.id, s3_prefix_list_id=gateway.prefix_list_id),
            self._child,
        )
        InterfaceEndpoints(
            "interface-endpoints",
            InterfaceEndpointsArgs(
                settings=settings, vpc_id=vpc.id, subnet_ids=subnet_ids, security_group_id=groups.aws_services_id
            ),
            self._child,
        )
        FlowLog("flow-log", FlowLogArgs(settings=settings, keys=args.keys, vpc_id=vpc.id), self._child)
        connections = [self._glue_connection(zone, subnet, groups.jobs_id) for zone, subnet in subnets.items()]
        self.outputs = NetworkOutputs(
            vpc_id=vpc.id,
            subnet_ids=subnet_ids,
            job_security_group_id=groups.jobs_id,
            endpoint_security_group_id=groups.serving_id,
            glue_connections=connections,
        )
        self.register_outputs({"vpc_id": vpc.id, "subnet_ids": subnet_ids})

    def _vpc(self, network: NetworkSettings) -> aws.ec2.Vpc:
        vpc = aws.ec2.Vpc(
            "vpc",
            cidr_block=network.cidr,
            # Interface endpoints take the services' own host names.
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags={"Name": self._prefix},
            opts=self._child,
        )
        # Without rules: whatever is started with no group named reaches nothing and is reached by nothing.
        aws.ec2.DefaultSecurityGroup("default", vpc_id=vpc.id, ingress=[], egress=[], opts=self._child)
        return vpc

    def _subnet(self, zone: Zone, vpc: aws.ec2.Vpc, routes: aws.ec2.RouteTable) -> aws.ec2.Subnet:
        subnet = aws.ec2.Subnet(
            f"private-{zone.name}",
            vpc_id=vpc.id,
            availability_zone=zone.name,
            cidr_block=zone.cidr,
            map_public_ip_on_launch=False,
            tags={"Name": f"{self._prefix}-private-{zone.name}"},
            opts=self._child,
        )
        aws.ec2.RouteTableAssociation(
            f"private-{zone.name}",
            subnet_id=subnet.id,
            route_table_id=routes.id,
            opts=pulumi.ResourceOptions(parent=subnet),
        )
        return subnet

    def _glue_connection(
        self, zone: Zone, subnet: aws.ec2.Subnet, security_group_id: pulumi.Input[str]
    ) -> pulumi.Output[str]:
        """What puts a Glue job into the subnet."""
        connection = aws.glue.Connection(
            f"glue-{zone.name}",
            name=f"{self._prefix}-{zone.name}",
            connection_type="NETWORK",
            physical_connection_requirements=aws.glue.ConnectionPhysicalConnectionRequirementsArgs(
                availability_zone=zone.name,
                subnet_id=subnet.id,
                security_group_id_lists=[security_group_id],
            ),
            opts=self._child,
        )
        return connection.name


def zones(region: str, network: NetworkSettings) -> list[Zone]:
    """The first zones of the region, each with a /20 of the VPC's addresses."""
    blocks = ipaddress.ip_network(network.cidr).subnets(new_prefix=20)
    letters = "abc"[: network.availability_zones]
    return [Zone(name=f"{region}{letter}", cidr=str(block)) for letter, block in zip(letters, blocks, strict=False)]
