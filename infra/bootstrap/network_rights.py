"""What declaring a network takes. EC2 names its resources itself, so that the stack's tag says which are whose.

A call that makes something in a VPC is checked on both: the new resource must be tagged as the stack's own
(`requested`), the VPC must be its own (`owned`). What has another stack's tag keeps it (`claimed`).
"""

from infra.bootstrap.reach import Reach
from infra.iam import Statement, statement

_KINDS = ("route-table", "security-group", "security-group-rule", "subnet", "vpc", "vpc-endpoint", "vpc-flow-log")
_CREATES = ("FlowLogs", "RouteTable", "SecurityGroup", "Subnet", "Vpc", "VpcEndpoint")
_CHANGES = (
    "AssociateRouteTable AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress DeleteFlowLogs DeleteRouteTable "
    "DeleteSecurityGroup DeleteSubnet DeleteVpc DeleteVpcEndpoints DisassociateRouteTable ModifySecurityGroupRules "
    "ModifySubnetAttribute ModifyVpcAttribute ModifyVpcEndpoint RevokeSecurityGroupEgress RevokeSecurityGroupIngress"
)


def network(reach: Reach) -> list[Statement]:
    """VPC, subnets, route tables, security groups, endpoints and flow logs."""
    own = reach.arn("ec2", *(f"{kind}/*" for kind in _KINDS))
    creates = [f"ec2:Create{each}" for each in _CREATES]
    rules = ["ec2:AuthorizeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupIngress"]
    return [
        statement("Make", creates, own, reach.requested),
        statement("MakeIn", creates, reach.arn("ec2", "vpc/*", *_beside()), reach.owned),
        statement("MakeRules", rules, reach.arn("ec2", "security-group-rule/*"), reach.requested),
        statement("Change", [f"ec2:{each}" for each in _CHANGES.split()], own, reach.owned),
        statement("Tag", ["ec2:CreateTags"], own, reach.claimed),
        statement("Retag", ["ec2:CreateTags", "ec2:DeleteTags"], own, reach.owned),
        # S3's prefix list is AWS's own, and a default group has no tags before the stack adopts it and empties it.
        statement("PrefixLists", rules, reach.arn("ec2", "prefix-list/*")),
    ]


def _beside() -> tuple[str, ...]:
    return ("route-table/*", "security-group/*", "subnet/*")
