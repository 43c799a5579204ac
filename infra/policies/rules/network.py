"""The VPC: nothing from anywhere in, nothing to anywhere out, and a record of what went where."""

from typing import Any, cast

from infra.policies.checks import is_true, no_statement, not_one_of, one_of, present
from infra.policies.resources import Known, Properties, Resource, Stack
from infra.policies.rule import REMOVED, ResourceRule, Rule, StackRule
from infra.policies.sources import aws_docs, cis, ml_lens, security_hub

_VPC = ("aws:ec2/vpc:Vpc",)
_SUBNET = ("aws:ec2/subnet:Subnet",)
_DEFAULT_GROUP = ("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",)
_FLOW_LOG = ("aws:ec2/flowLog:FlowLog",)
_ENDPOINT = ("aws:ec2/vpcEndpoint:VpcEndpoint",)
INGRESS = (
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    "aws:ec2/securityGroup:SecurityGroup",
    "aws:ec2/securityGroupRule:SecurityGroupRule",
)
EGRESS = (
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
    "aws:ec2/securityGroup:SecurityGroup",
    "aws:ec2/securityGroupRule:SecurityGroupRule",
)
ANYWHERE = frozenset({"0.0.0.0/0", "::/0"})
_ADMINISTRATION = (22, 3389)
_FROM_NEIGHBOURS = {"ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIpv4": "10.20.0.0/16"}
_LOGGED = {"vpcId": "vpc-1", "trafficType": "ALL", "logDestinationType": "cloud-watch-logs", "logDestination": "log"}
_POLICY = {"vpcEndpointType": "Interface", "privateDnsEnabled": True, "serviceName": "com.amazonaws.eu-west-1.sts"}
_NARROW = {
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": ["s3:GetObject"],
            "Resource": "arn:aws:s3:::lake/*",
        }
    ]
}
_WIDE = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}


def opened(resource: Resource, direction: str) -> list[dict[str, Any]]:
    """What the security group or its rule opens to anywhere, `ingress` or `egress`: protocol and ports of each."""
    properties = Properties(resource)
    if resource.type.endswith(("IngressRule", "EgressRule")):
        named = "Ingress" if direction == "ingress" else "Egress"
        ranges = {properties.at("cidrIpv4"), properties.at("cidrIpv6")}
        return [Known(resource.properties)] if named in resource.type and ranges & ANYWHERE else []
    if resource.type.endswith("SecurityGroupRule"):
        return (
            [dict(resource.properties)]
            if properties.at("type") == direction and _anywhere(Known(resource.properties))
            else []
        )
    return [rule for rule in properties.items(direction) if _anywhere(rule)]


def _anywhere(rule: Any) -> bool:
    ranges = [each for key in ("cidrBlocks", "ipv6CidrBlocks") for each in cast(list[str], rule.get(key) or [])]
    return bool(ANYWHERE.intersection(ranges))


def _ports(rule: dict[str, Any]) -> tuple[float, float]:
    protocol = str(rule.get("ipProtocol", rule.get("protocol", "-1")))
    low: Any = rule.get("fromPort")
    high: Any = rule.get("toPort", low)
    return (0, 65535) if protocol in ("-1", "all") or low is None else (float(low), float(high))


def _nothing_from_anywhere(properties: Properties) -> str | None:
    rules = opened(properties.resource, "ingress")
    return f"opens ports {_text(rules[0])} to everyone" if rules else None


def _no_administration(properties: Properties) -> str | None:
    for rule in opened(properties.resource, "ingress"):
        low, high = _ports(rule)
        port = next((each for each in _ADMINISTRATION if low <= each <= high), None)
        if port:
            return f"opens the administration port {port} to everyone"
    return None


def _nothing_to_anywhere(properties: Properties) -> str | None:
    rules = opened(properties.resource, "egress")
    return f"lets ports {_text(rules[0])} out to anywhere" if rules else None


def _text(rule: dict[str, Any]) -> str:
    low, high = _ports(rule)
    return f"{low:.0f}" if low == high else f"{low:.0f} to {high:.0f}"


def _empty_group(properties: Properties) -> str | None:
    filled = [each for each in ("ingress", "egress") if properties.items(each)]
    return f"{' and '.join(filled)} of the default security group have rules; right is none" if filled else None


def _way_out(properties: Properties) -> str | None:
    routes = [Known(properties.resource.properties), *properties.items("routes")]
    targets = ("gatewayId", "natGatewayId", "egressOnlyGatewayId")
    for route in routes:
        gateway = next((route.get(each) for each in targets if route.get(each)), None)
        to_anywhere = {route.get("cidrBlock"), route.get("destinationCidrBlock"), route.get("ipv6CidrBlock")} & ANYWHERE
        if to_anywhere and gateway:
            return f"routes {next(iter(to_anywhere))} to {gateway}, and so to anywhere"
    return None


def _flow_logged(_vpc: Resource, stack: Stack) -> str | None:
    # The VPC's id is never among its inputs, so a flow log counts by there being one for each VPC.
    logs = [each for each in stack.of(*_FLOW_LOG) if "vpcId" in each.properties]
    return None if len(logs) >= len(stack.of(*_VPC)) else "no FlowLog is declared for the VPC"


def _default_closed(_vpc: Resource, stack: Stack) -> str | None:
    closed = len(stack.of(*_DEFAULT_GROUP)) >= len(stack.of(*_VPC))
    return None if closed else "its default security group is not declared, so AWS's own lets everything in it talk"


_EXAMPLE_VPC = Resource(type=_VPC[0], name="vpc", properties={"cidrBlock": "10.20.0.0/16"})
_OFFLINE = (
    aws_docs("VPC endpoints for SageMaker", "sagemaker/latest/dg/infrastructure-give-access.html"),
    ml_lens("MLSEC04-BP01"),
)

RULES: tuple[Rule, ...] = (
    ResourceRule(
        id="network-no-open-ingress",
        title="No security group lets everyone in",
        sources=(security_hub("EC2.18"), ml_lens("MLSEC04-BP01")),
        severity="high",
        types=INGRESS,
        check=_nothing_from_anywhere,
        passing=_FROM_NEIGHBOURS,
        broken_by={"cidrIpv4": "0.0.0.0/0"},
    ),
    ResourceRule(
        id="network-no-open-administration",
        title="No security group opens SSH or RDP to everyone",
        sources=(security_hub("EC2.53"), security_hub("EC2.54"), cis("5.3", "5.2"), cis("5.4", "5.3")),
        severity="high",
        types=INGRESS,
        check=_no_administration,
        passing=_FROM_NEIGHBOURS,
        broken_by={"fromPort": 0, "toPort": 1024, "cidrIpv4": REMOVED, "cidrIpv6": "::/0"},
    ),
    ResourceRule(
        id="network-no-open-egress",
        title="No security group lets anything out to anywhere",
        sources=_OFFLINE,
        severity="high",
        types=EGRESS,
        check=_nothing_to_anywhere,
        passing=_FROM_NEIGHBOURS,
        broken_by={"cidrIpv4": "0.0.0.0/0"},
    ),
    ResourceRule(
        id="network-rule-described",
        title="A rule of a security group says what it is for",
        sources=(aws_docs("Security group rules", "vpc/latest/userguide/security-group-rules.html"),),
        severity="low",
        types=(EGRESS[0], INGRESS[0]),
        check=present("description"),
        passing={**_FROM_NEIGHBOURS, "description": "workers of one job"},
        broken_by={"description": REMOVED},
    ),
    ResourceRule(
        id="network-default-group-empty",
        title="The default security group lets nothing in or out",
        sources=(security_hub("EC2.2"), cis("5.5", "5.4")),
        severity="high",
        types=_DEFAULT_GROUP,
        check=_empty_group,
        passing={"vpcId": "vpc-1", "ingress": [], "egress": []},
        broken_by={"ingress": [{"protocol": "-1", "fromPort": 0, "toPort": 0, "self": True}]},
    ),
    ResourceRule(
        id="network-no-public-addresses",
        title="A subnet gives out no public addresses",
        sources=(security_hub("EC2.15"),),
        severity="medium",
        types=_SUBNET,
        check=not_one_of("mapPublicIpOnLaunch", True),
        passing={"mapPublicIpOnLaunch": False},
        broken_by={"mapPublicIpOnLaunch": True},
    ),
    ResourceRule(
        id="network-no-way-out",
        title="No route leads to the internet",
        sources=_OFFLINE,
        severity="high",
        types=("aws:ec2/route:Route", "aws:ec2/routeTable:RouteTable"),
        check=_way_out,
        passing={"destinationCidrBlock": "10.30.0.0/16", "vpcPeeringConnectionId": "pcx-1"},
        broken_by={"destinationCidrBlock": "0.0.0.0/0", "natGatewayId": "nat-1"},
    ),
    ResourceRule(
        id="network-flow-log-all",
        title="Flow logs hold what was let through and what was refused",
        sources=(security_hub("EC2.6"), cis("3.7", "3.7")),
        severity="medium",
        types=_FLOW_LOG,
        check=one_of("trafficType", "ALL", "REJECT"),
        passing=_LOGGED,
        broken_by={"trafficType": "ACCEPT"},
    ),
    ResourceRule(
        id="network-endpoint-private-dns",
        title="Names of AWS's services lead to the VPC's own endpoints",
        sources=(security_hub("EC2.10"), ml_lens("MLSEC04-BP01")),
        severity="medium",
        types=_ENDPOINT,
        check=lambda properties: (
            is_true("privateDnsEnabled")(properties) if properties.at("vpcEndpointType") == "Interface" else None
        ),
        passing=_POLICY,
        broken_by={"privateDnsEnabled": False},
    ),
    ResourceRule(
        id="network-endpoint-policy",
        title="An endpoint's policy does not let everything through",
        sources=(
            aws_docs("Endpoint policies", "vpc/latest/privatelink/vpc-endpoints-access.html"),
            ml_lens("MLSEC03-BP02"),
        ),
        severity="low",
        types=_ENDPOINT,
        check=no_statement(
            ["policy"],
            lambda each: each.public and "*" in each.actions and "*" in each.resources,
            "lets everything through",
        ),
        passing={"vpcEndpointType": "Gateway", "policy": _NARROW},
        broken_by={"policy": _WIDE},
    ),
    StackRule(
        id="network-flow-logs",
        title="Every VPC has flow logs",
        sources=(security_hub("EC2.6"), cis("3.7", "3.7")),
        severity="medium",
        types=_VPC,
        relation=_flow_logged,
        passing=(_EXAMPLE_VPC, Resource(type=_FLOW_LOG[0], name="flow-log", properties=_LOGGED)),
        failing=(_EXAMPLE_VPC,),
    ),
    StackRule(
        id="network-default-group-declared",
        title="The default security group of every VPC is declared, so that it is closed",
        sources=(security_hub("EC2.2"), cis("5.5", "5.4")),
        severity="high",
        types=_VPC,
        relation=_default_closed,
        passing=(_EXAMPLE_VPC, Resource(type=_DEFAULT_GROUP[0], name="default")),
        failing=(_EXAMPLE_VPC,),
    ),
)
