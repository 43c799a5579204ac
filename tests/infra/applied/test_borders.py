"""Who may do what and what reaches where: the network, and the roles."""

from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def in_the_vpc(ec2: Any) -> list[dict[str, Any]]:
    """The filter for what is in the one VPC that is not the account's default."""
    (vpc,) = [vpc for vpc in ec2.describe_vpcs()["Vpcs"] if not vpc["IsDefault"]]
    return [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]


def test_the_network_has_no_way_out(stack: Any) -> None:
    ec2 = stack.client("ec2")
    in_vpc = in_the_vpc(ec2)
    subnets = ec2.describe_subnets(Filters=in_vpc)["Subnets"]
    assert len({subnet["AvailabilityZone"] for subnet in subnets}) == stack.settings.network.availability_zones
    assert not any(subnet["MapPublicIpOnLaunch"] for subnet in subnets)
    routes = [r for table in ec2.describe_route_tables(Filters=in_vpc)["RouteTables"] for r in table["Routes"]]
    assert "0.0.0.0/0" not in [route.get("DestinationCidrBlock") for route in routes]
    assert not [route for route in routes if route.get("GatewayId", "").startswith(("igw-", "nat-"))]
    attached = [{"Name": "attachment.vpc-id", "Values": in_vpc[0]["Values"]}]
    assert ec2.describe_internet_gateways(Filters=attached)["InternetGateways"] == []
    endpoints = ec2.describe_vpc_endpoints(Filters=in_vpc)["VpcEndpoints"]
    assert {endpoint["VpcEndpointType"] for endpoint in endpoints} == {"Gateway", "Interface"}
    assert all(stack.statements(endpoint["PolicyDocument"]) for endpoint in endpoints)
    (log,) = ec2.describe_flow_logs(Filters=[{"Name": "resource-id", "Values": in_vpc[0]["Values"]}])["FlowLogs"]
    assert log["TrafficType"] == "ALL"


def test_no_security_group_names_addresses(stack: Any) -> None:
    ec2 = stack.client("ec2")
    found = ec2.describe_security_groups(Filters=in_the_vpc(ec2))["SecurityGroups"]
    groups = {group["GroupName"]: group for group in found}
    assert groups["default"]["IpPermissions"] == groups["default"]["IpPermissionsEgress"] == []
    assert len(groups) > 1
    for group in groups.values():
        for rule in (*group["IpPermissions"], *group["IpPermissionsEgress"]):
            assert rule.get("IpRanges", []) == [], group["GroupName"]


def test_each_role_trusts_one_service_of_this_account_and_grants_no_wildcard(stack: Any) -> None:
    iam = stack.client("iam")
    pages = iam.get_paginator("list_roles").paginate(PathPrefix=stack.names.role_path)
    roles = [role for page in pages for role in page["Roles"]]
    jobs = ("ingest", "validate", "train", "evaluate", "pipeline", "events", "endpoint")
    assert {stack.names.role(f"auto-mpg-{job}") for job in jobs} <= {role["RoleName"] for role in roles}
    for role in roles:
        named = {"RoleName": role["RoleName"]}
        (trust,) = stack.statements(role["AssumeRolePolicyDocument"])
        assert list(trust["Principal"]) == ["Service"], named
        assert trust["Condition"]["StringEquals"]["aws:SourceAccount"] == stack.settings.account_id
        assert iam.list_attached_role_policies(**named)["AttachedPolicies"] == []
        for policy in iam.list_role_policies(**named)["PolicyNames"]:
            statements = stack.statements(iam.get_role_policy(**named, PolicyName=policy)["PolicyDocument"])
            assert statements, named
            for each in statements:
                assert each["Action"], named
                assert not [action for action in each["Action"] if "*" in action], (named, each["Sid"])
                if "iam:PassRole" in each["Action"]:
                    assert each["Condition"]["StringEquals"]["iam:PassedToService"]


def test_default_tags_reach_the_roles(stack: Any) -> None:
    iam = stack.client("iam")
    # Roles outside the stack's path are the bootstrap's, with tags of its own.
    roles = iam.list_roles(PathPrefix=stack.names.role_path)["Roles"]
    assert roles
    for role in roles:
        tags = iam.get_role(RoleName=role["RoleName"])["Role"]["Tags"]
        assert {tag["Key"]: tag["Value"] for tag in tags} == stack.settings.default_tags, role["RoleName"]
