"""Security groups: the emptied default one, groups, and one resource per rule."""

from collections.abc import Mapping
from typing import Any, ClassVar

from rehearsal.provider.ec2 import Ec2Handler
from rehearsal.provider.handler import AutoName, AwsClients, Created, Properties, ResourceHandler
from rehearsal.provider.items import items
from rehearsal.provider.service import changed


class SecurityGroup(Ec2Handler):
    """A security group. As pulumi-aws does, the rule that AWS adds (all traffic out) is taken away."""

    token = "aws:ec2/securityGroup:SecurityGroup"
    autoname: ClassVar[AutoName | None] = AutoName(name_property="name")
    replace_on = frozenset({"name", "namePrefix", "description", "vpcId", "region"})
    kind, listing, ids, listed = "security-group", "DescribeSecurityGroups", "GroupIds", "SecurityGroups"
    local = frozenset({"revokeRulesOnDelete"})

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        request: dict[str, Any] = {
            "GroupName": inputs["name"],
            "Description": inputs.get("description", "Managed by Pulumi"),
            **self.tagged(inputs),
        }
        if "vpcId" in inputs:
            request["VpcId"] = inputs["vpcId"]
        group_id = self.send(aws, "CreateSecurityGroup", request)["GroupId"]
        self._set_rules(aws, group_id, inputs)
        return self.kept(aws, group_id, inputs)

    def _set_rules(self, aws: AwsClients, group_id: str, inputs: Properties) -> None:
        found = self.found(aws, group_id) or {}
        for operation, member, name in _DIRECTIONS:
            held: list[Any] = items(found, member)
            if held:
                self.send(aws, f"RevokeSecurityGroup{operation}", {"GroupId": group_id, "IpPermissions": held})
            wanted = [_permission(rule) for rule in items(inputs, name)]
            if wanted:
                self.send(aws, f"AuthorizeSecurityGroup{operation}", {"GroupId": group_id, "IpPermissions": wanted})

    def described(self, aws: AwsClients, resource_id: str, found: Mapping[str, Any], state: Properties) -> Properties:
        outputs: Properties = {
            "name": found["GroupName"],
            "description": found["Description"],
            "vpcId": found.get("VpcId", ""),
        }
        for _, member, name in _DIRECTIONS:
            if name in state:
                outputs[name] = [_rule(permission) for permission in items(found, member)]
        return outputs

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        if any(olds.get(name) != news.get(name) for _, _, name in _DIRECTIONS):
            self._set_rules(aws, resource_id, news)
        self.retag(aws, olds, news, resource_id)
        return self.present(aws, resource_id, news)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        self.ask(aws, "DeleteSecurityGroup", {"GroupId": resource_id})


class DefaultSecurityGroup(SecurityGroup):
    """The group every VPC has: adopted and emptied, never deleted (AWS does not let it go)."""

    token = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
    autoname = None
    replace_on = frozenset({"vpcId", "region"})

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        named = [{"Name": "group-name", "Values": ["default"]}, {"Name": "vpc-id", "Values": [inputs["vpcId"]]}]
        groups = self.send(aws, "DescribeSecurityGroups", {"Filters": named})["SecurityGroups"]
        group_id = groups[0]["GroupId"]
        # tags first, as the real provider does: they are what makes the group the stack's own to whoever deploys
        self.retag(aws, {}, inputs, group_id)
        self._set_rules(aws, group_id, inputs)
        return self.created(aws, group_id, inputs)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        """Nothing: it goes with its VPC."""


class SecurityGroupRule(Ec2Handler):
    """One rule of a group, which EC2 knows by an id of its own."""

    replace_on = frozenset({"securityGroupId", "region"})
    kind, listing, ids = "security-group-rule", "DescribeSecurityGroupRules", "SecurityGroupRuleIds"
    listed = "SecurityGroupRules"
    direction: ClassVar[str]

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        request = {
            "GroupId": inputs["securityGroupId"],
            "IpPermissions": [_permission_of(inputs)],
            **self.tagged(inputs),
        }
        answer = self.send(aws, f"AuthorizeSecurityGroup{self.direction}", request)
        return self.created(aws, answer["SecurityGroupRules"][0]["SecurityGroupRuleId"], inputs)

    def described(self, aws: AwsClients, resource_id: str, found: Mapping[str, Any], state: Properties) -> Properties:
        outputs: Properties = {
            "securityGroupId": found["GroupId"],
            "securityGroupRuleId": resource_id,
            "ipProtocol": found["IpProtocol"],
            "fromPort": _port(found.get("FromPort")),
            "toPort": _port(found.get("ToPort")),
            "cidrIpv4": found.get("CidrIpv4"),
            "cidrIpv6": found.get("CidrIpv6"),
            "prefixListId": found.get("PrefixListId"),
            "description": found.get("Description"),
        }
        if found.get("ReferencedGroupInfo"):
            outputs["referencedSecurityGroupId"] = found["ReferencedGroupInfo"].get("GroupId")
        return {key: value for key, value in outputs.items() if value not in (None, "")}

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        if changed(olds, news):
            rule = {"SecurityGroupRuleId": resource_id, "SecurityGroupRule": _rule_request(news)}
            request = {"GroupId": news["securityGroupId"], "SecurityGroupRules": [rule]}
            self.send(aws, "ModifySecurityGroupRules", request)
        self.retag(aws, olds, news, resource_id)
        return self.present(aws, resource_id, news)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        request = {"GroupId": state["securityGroupId"], "SecurityGroupRuleIds": [resource_id]}
        self.ask(aws, f"RevokeSecurityGroup{self.direction}", request)


class IngressRule(SecurityGroupRule):
    """Traffic let in."""

    token = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
    direction = "Ingress"


class EgressRule(SecurityGroupRule):
    """Traffic let out."""

    token = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
    direction = "Egress"


_DIRECTIONS = (("Ingress", "IpPermissions", "ingress"), ("Egress", "IpPermissionsEgress", "egress"))


def _rule_request(rule: Properties) -> dict[str, Any]:
    """A rule resource as ModifySecurityGroupRules takes it."""
    members = {
        "ipProtocol": "IpProtocol",
        "fromPort": "FromPort",
        "toPort": "ToPort",
        "cidrIpv4": "CidrIpv4",
        "cidrIpv6": "CidrIpv6",
        "prefixListId": "PrefixListId",
        "referencedSecurityGroupId": "ReferencedGroupId",
        "description": "Description",
    }
    return {member: rule[name] for name, member in members.items() if name in rule}


def _permission_of(rule: Properties) -> dict[str, Any]:
    """A rule resource as the one permission it authorises."""
    described = {"Description": rule["description"]} if "description" in rule else {}
    permission: dict[str, Any] = {"IpProtocol": str(rule["ipProtocol"])}
    for name, member in (("fromPort", "FromPort"), ("toPort", "ToPort")):
        if name in rule:
            permission[member] = rule[name]
    if "cidrIpv4" in rule:
        permission["IpRanges"] = [{"CidrIp": rule["cidrIpv4"], **described}]
    if "cidrIpv6" in rule:
        permission["Ipv6Ranges"] = [{"CidrIpv6": rule["cidrIpv6"], **described}]
    if "prefixListId" in rule:
        permission["PrefixListIds"] = [{"PrefixListId": rule["prefixListId"], **described}]
    if "referencedSecurityGroupId" in rule:
        permission["UserIdGroupPairs"] = [{"GroupId": rule["referencedSecurityGroupId"], **described}]
    return permission


def _permission(rule: Properties) -> dict[str, Any]:
    """An inline rule of a group, whose sources are lists."""
    described = {"Description": rule["description"]} if rule.get("description") else {}
    return {
        "IpProtocol": str(rule["protocol"]),
        "FromPort": rule["fromPort"],
        "ToPort": rule["toPort"],
        "IpRanges": [{"CidrIp": cidr, **described} for cidr in items(rule, "cidrBlocks")],
        "Ipv6Ranges": [{"CidrIpv6": cidr, **described} for cidr in items(rule, "ipv6CidrBlocks")],
        "PrefixListIds": [{"PrefixListId": each, **described} for each in items(rule, "prefixListIds")],
        "UserIdGroupPairs": [{"GroupId": each, **described} for each in items(rule, "securityGroups")],
    }


def _rule(permission: Mapping[str, Any]) -> Properties:
    return {
        "protocol": permission["IpProtocol"],
        "fromPort": permission.get("FromPort", 0),
        "toPort": permission.get("ToPort", 0),
        "cidrBlocks": [each["CidrIp"] for each in items(permission, "IpRanges")],
        "ipv6CidrBlocks": [each["CidrIpv6"] for each in items(permission, "Ipv6Ranges")],
        "prefixListIds": [each["PrefixListId"] for each in items(permission, "PrefixListIds")],
        "securityGroups": [each["GroupId"] for each in items(permission, "UserIdGroupPairs")],
    }


def _port(value: Any) -> int | None:
    """EC2 answers -1 where a rule names no port."""
    return None if value in (None, "", -1, "-1") else int(value)


HANDLERS: tuple[ResourceHandler, ...] = (SecurityGroup(), DefaultSecurityGroup(), IngressRule(), EgressRule())
