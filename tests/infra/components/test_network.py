"""The VPC with its gateway, endpoints, groups and flow log."""

import ipaddress
import json
from typing import Any

import boto3
import pytest

from infra.components.interface_endpoints import ENDPOINT_ACTIONS
from infra.components.network import zones
from infra.settings import NetworkSettings


def test_subnets_lie_in_zones_of_their_own_and_do_not_overlap() -> None:
    found = zones("eu-west-1", NetworkSettings(cidr="10.20.0.0/16", availability_zones=3))
    assert [zone.name for zone in found] == ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
    blocks = [ipaddress.ip_network(zone.cidr) for zone in found]
    assert all(block.subnet_of(ipaddress.ip_network("10.20.0.0/16")) for block in blocks)  # pyright: ignore[reportArgumentType]
    assert not any(one.overlaps(other) for one in blocks for other in blocks if one is not other)


def test_there_is_no_way_to_the_internet(program: Any) -> None:
    types = {resource.type.rsplit(":", 1)[1] for resource in program.resources}
    assert not types & {"InternetGateway", "NatGateway", "EgressOnlyInternetGateway", "Eip", "Route"}
    for table in program.of("aws:ec2/routeTable:RouteTable"):
        assert not table.inputs.get("routes")
    for subnet in program.of("aws:ec2/subnet:Subnet"):
        assert subnet.inputs["mapPublicIpOnLaunch"] is False
    associations = program.of("aws:ec2/routeTableAssociation:RouteTableAssociation")
    assert len(associations) == len(program.of("aws:ec2/subnet:Subnet")) >= 2


def test_the_default_group_is_empty(program: Any) -> None:
    (group,) = program.of("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup")
    assert group.inputs["ingress"] == []
    assert group.inputs["egress"] == []


def test_rules_name_groups_or_s3_and_never_addresses(program: Any) -> None:
    rules = [
        *program.of("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"),
        *program.of("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"),
    ]
    assert len(rules) == 8
    for rule in rules:
        assert "cidrIpv4" not in rule.inputs
        assert "cidrIpv6" not in rule.inputs
        assert ("referencedSecurityGroupId" in rule.inputs) != ("prefixListId" in rule.inputs), rule.name
    for group in program.of("aws:ec2/securityGroup:SecurityGroup"):
        assert "ingress" not in group.inputs
        assert "egress" not in group.inputs


def test_jobs_reach_one_another_on_every_port_as_glue_demands(program: Any) -> None:
    rule = program.one("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "jobs-from-jobs").inputs
    assert rule["securityGroupId"] == rule["referencedSecurityGroupId"] == "jobs-id"
    assert (rule["ipProtocol"], rule["fromPort"], rule["toPort"]) == ("tcp", 0, 65535)


def test_endpoints_stand_in_every_zone_for_this_account(program: Any) -> None:
    subnets = {f"{subnet.name}-id" for subnet in program.of("aws:ec2/subnet:Subnet")}
    endpoints = {each.name: each for each in program.of("aws:ec2/vpcEndpoint:VpcEndpoint")}
    assert set(endpoints) == {"s3", *(service.replace(".", "-") for service in ENDPOINT_ACTIONS)}
    for name, endpoint in endpoints.items():
        policy = endpoint.policy()
        if name == "s3":
            assert endpoint.inputs["vpcEndpointType"] == "Gateway"
            continue
        assert set(endpoint.inputs["subnetIds"]) == subnets
        assert endpoint.inputs["securityGroupIds"] == ["aws-services-id"]
        assert endpoint.inputs["privateDnsEnabled"] is True
        for each in policy["Statement"]:
            assert set(each["Condition"]["StringEquals"]) == {"aws:PrincipalAccount"}


def test_s3_is_reached_for_the_stacks_buckets_and_image_layers_only(declared: Any) -> None:
    policy = declared("staging").one("aws:ec2/vpcEndpoint:VpcEndpoint", "s3").policy()
    statements = {each["Sid"]: each for each in policy["Statement"]}
    assert all("drivetrain-staging-333333333333-" in arn for arn in statements["Objects"]["Resource"])
    assert all("drivetrain-staging-333333333333-" in arn for arn in statements["Buckets"]["Resource"])
    assert statements["Objects"]["Condition"] == {"StringEquals": {"aws:PrincipalAccount": "333333333333"}}
    assert statements["ImageLayers"]["Resource"] == "arn:aws:s3:::prod-eu-west-1-starport-layer-bucket/*"
    assert statements["ImageLayers"]["Action"] == ["s3:GetObject"]


@pytest.mark.parametrize("service", sorted(ENDPOINT_ACTIONS))
def test_actions_are_ones_that_the_service_knows(service: str) -> None:
    prefixes = {action.split(":")[0] for action in ENDPOINT_ACTIONS[service]}
    known: set[str] = set()
    for prefix in prefixes:
        known |= {
            f"{prefix}:{name}"
            for name in boto3.client(prefix, region_name="eu-west-1").meta.service_model.operation_names  # pyright: ignore
        }
    known.add("lakeformation:GetDataAccess")  # a permission, which no API carries the name of
    assert set(ENDPOINT_ACTIONS[service]) <= known


# The services attach the jobs' network interfaces, encrypt their volumes and look at the alarms of an update
# themselves, from outside the VPC.
FROM_OUTSIDE = ("ec2:", "kms:CreateGrant", "cloudwatch:DescribeAlarms")
JOBS = ("ingest", "validate", "train", "evaluate", "endpoint")


def allowed_to_jobs(program: Any) -> set[str]:
    """What the roles allow of those who run in the VPC, less what is called from outside."""
    return {
        action
        for resource, each in program.statements()
        if resource.type == "aws:iam/rolePolicy:RolePolicy" and resource.name.endswith(tuple(f"-{job}" for job in JOBS))
        for action in each["Action"]
        if not action.startswith(FROM_OUTSIDE)
    }


def test_what_jobs_are_allowed_is_open_at_an_endpoint(program: Any) -> None:
    """An action that a role allows and no endpoint passes is refused in the VPC, or hangs for want of an endpoint."""
    documents = [each.policy() for each in program.of("aws:ec2/vpcEndpoint:VpcEndpoint")]
    passed = {action for document in documents for each in document["Statement"] for action in each["Action"]}
    allowed = allowed_to_jobs(program)
    assert {"glue:UpdateTable", "s3:PutObject", "kms:Decrypt"} <= allowed
    assert allowed - passed == set()


def test_what_no_job_is_allowed_is_closed_at_the_endpoints(program: Any) -> None:
    """An endpoint costs by the hour, and each action it passes beyond the jobs' own is a way out for nothing."""
    allowed = allowed_to_jobs(program)
    beyond = {service: set(actions) - allowed for service, actions in ENDPOINT_ACTIONS.items()}
    assert {service: actions for service, actions in beyond.items() if actions} == {}


def test_all_traffic_is_logged(program: Any) -> None:
    (log,) = program.of("aws:ec2/flowLog:FlowLog")
    assert log.inputs["trafficType"] == "ALL"
    assert log.inputs["vpcId"] == "vpc-id"
    assert log.inputs["iamRoleArn"] == "arn:aws:made-up:::flow-log-role"
    permissions = program.one("aws:iam/rolePolicy:RolePolicy", "flow-log-permissions").policy()
    anywhere = [each["Action"] for each in permissions["Statement"] if each["Resource"] == "*"]
    assert anywhere == [["logs:DescribeLogGroups"]]  # which knows no resource


def test_glue_has_a_connection_into_each_subnet(program: Any) -> None:
    connections = program.of("aws:glue/connection:Connection")
    assert len(connections) == len(program.of("aws:ec2/subnet:Subnet"))
    for connection in connections:
        assert connection.inputs["connectionType"] == "NETWORK"
        placed = connection.inputs["physicalConnectionRequirements"]
        assert placed["securityGroupIdLists"] == ["jobs-id"]
        assert placed["subnetId"] == f"private-{placed['availabilityZone']}-id"


def test_policies_stay_below_the_size_that_ec2_takes(program: Any) -> None:
    for endpoint in program.of("aws:ec2/vpcEndpoint:VpcEndpoint"):
        assert len(json.dumps(endpoint.policy())) < 20480
