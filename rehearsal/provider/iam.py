"""IAM roles and their inline policies."""

import json
from typing import Any, ClassVar

from rehearsal.provider.handler import AutoName, AwsClients, Created, Properties, ResourceHandler
from rehearsal.provider.items import items, tag_map, tag_outputs
from rehearsal.provider.service import ServiceHandler
from rehearsal.provider.tagging import all_tags


class Role(ServiceHandler):
    """A role with its trust policy; the id is its name."""

    token = "aws:iam/role:Role"
    service = "iam"
    autoname: ClassVar[AutoName | None] = AutoName(name_property="name", max_length=64)
    replace_on = frozenset({"name", "namePrefix", "path"})
    taggable = True
    local = frozenset({"forceDetachPolicies", "namePrefix"})
    not_shown = "Enforced, see `authorization` below; the signature of a web identity's token is not verified."

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        name = inputs["name"]
        request: dict[str, Any] = {
            "RoleName": name,
            "AssumeRolePolicyDocument": inputs["assumeRolePolicy"],
            "Path": inputs.get("path", "/"),
            "MaxSessionDuration": inputs.get("maxSessionDuration", 3600),
        }
        for key, member in (("description", "Description"), ("permissionsBoundary", "PermissionsBoundary")):
            if inputs.get(key):
                request[member] = inputs[key]
        tags = [{"Key": key, "Value": value} for key, value in sorted(all_tags(inputs).items())]
        self.send(aws, "CreateRole", {**request, **({"Tags": tags} if tags else {})})
        self._attach(aws, name, {}, inputs)
        return self.created(aws, name, inputs)

    def _attach(self, aws: AwsClients, name: str, olds: Properties, news: Properties) -> None:
        before, after = set(items(olds, "managedPolicyArns")), set(items(news, "managedPolicyArns"))
        for arn in sorted(before - after):
            self.ask(aws, "DetachRolePolicy", {"RoleName": name, "PolicyArn": arn})
        for arn in sorted(after - before):
            self.send(aws, "AttachRolePolicy", {"RoleName": name, "PolicyArn": arn})
        kept = {policy["name"] for policy in items(news, "inlinePolicies")}
        for policy in items(olds, "inlinePolicies"):
            if policy["name"] not in kept:
                self.ask(aws, "DeleteRolePolicy", {"RoleName": name, "PolicyName": policy["name"]})
        for policy in items(news, "inlinePolicies"):
            request = {"RoleName": name, "PolicyName": policy["name"], "PolicyDocument": policy["policy"]}
            self.send(aws, "PutRolePolicy", request)

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        answer = self.ask(aws, "GetRole", {"RoleName": resource_id})
        if answer is None:
            return None
        role = answer["Role"]
        outputs: Properties = {
            "name": role["RoleName"],
            "arn": role["Arn"],
            "path": role["Path"],
            "uniqueId": role["RoleId"],
            "createDate": role["CreateDate"].isoformat(),
            "description": role.get("Description", ""),
            "maxSessionDuration": role.get("MaxSessionDuration", 3600),
            "assumeRolePolicy": policy_text(role["AssumeRolePolicyDocument"], state.get("assumeRolePolicy")),
            **tag_outputs(tag_map(items(role, "Tags")), state),
        }
        if role.get("PermissionsBoundary"):
            outputs["permissionsBoundary"] = role["PermissionsBoundary"]["PermissionsBoundaryArn"]
        kept = {
            key: state[key] for key in ("forceDetachPolicies", "managedPolicyArns", "inlinePolicies") if key in state
        }
        return {**outputs, **kept}

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        if olds.get("assumeRolePolicy") != news.get("assumeRolePolicy"):
            request = {"RoleName": resource_id, "PolicyDocument": news["assumeRolePolicy"]}
            self.send(aws, "UpdateAssumeRolePolicy", request)
        session = {"MaxSessionDuration": news.get("maxSessionDuration", 3600)}
        self.send(aws, "UpdateRole", {"RoleName": resource_id, "Description": news.get("description", ""), **session})
        if boundary := news.get("permissionsBoundary"):
            self.send(aws, "PutRolePermissionsBoundary", {"RoleName": resource_id, "PermissionsBoundary": boundary})
        elif olds.get("permissionsBoundary"):
            self.send(aws, "DeleteRolePermissionsBoundary", {"RoleName": resource_id})
        self._attach(aws, resource_id, olds, news)
        self._retag(aws, resource_id, olds, news)
        return self.present(aws, resource_id, news)

    def _retag(self, aws: AwsClients, name: str, olds: Properties, news: Properties) -> None:
        before, after = all_tags(olds), all_tags(news)
        gone = sorted(set(before) - set(after))
        if gone:
            self.send(aws, "UntagRole", {"RoleName": name, "TagKeys": gone})
        put = [{"Key": key, "Value": value} for key, value in sorted(after.items()) if before.get(key) != value]
        if put:
            self.send(aws, "TagRole", {"RoleName": name, "Tags": put})

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        named = {"RoleName": resource_id}
        if state.get("forceDetachPolicies"):
            for name in items(self.ask(aws, "ListRolePolicies", named) or {}, "PolicyNames"):
                self.ask(aws, "DeleteRolePolicy", {**named, "PolicyName": name})
            for policy in items(self.ask(aws, "ListAttachedRolePolicies", named) or {}, "AttachedPolicies"):
                self.ask(aws, "DetachRolePolicy", {**named, "PolicyArn": policy["PolicyArn"]})
        else:
            self._attach(aws, resource_id, state, {})
        self.ask(aws, "DeleteRole", named)


class RolePolicy(ServiceHandler):
    """An inline policy of a role; the id is `<role>:<name>`."""

    token = "aws:iam/rolePolicy:RolePolicy"
    service = "iam"
    autoname: ClassVar[AutoName | None] = AutoName(name_property="name", max_length=128)
    replace_on = frozenset({"name", "namePrefix", "role"})

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        self._put(aws, inputs)
        return self.created(aws, f"{inputs['role']}:{inputs['name']}", inputs)

    def _put(self, aws: AwsClients, inputs: Properties) -> None:
        request = {"RoleName": inputs["role"], "PolicyName": inputs["name"], "PolicyDocument": inputs["policy"]}
        self.send(aws, "PutRolePolicy", request)

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        role, name = resource_id.split(":", 1)
        answer = self.ask(aws, "GetRolePolicy", {"RoleName": role, "PolicyName": name})
        if answer is None:
            return None
        return {"role": role, "name": name, "policy": policy_text(answer["PolicyDocument"], state.get("policy"))}

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        self._put(aws, news)
        return self.present(aws, resource_id, news)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        role, name = resource_id.split(":", 1)
        self.ask(aws, "DeleteRolePolicy", {"RoleName": role, "PolicyName": name})


class RolePolicyAttachment(ServiceHandler):
    """A managed policy on a role."""

    token = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
    service = "iam"
    replace_on = frozenset({"role", "policyArn"})

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        role, arn = inputs["role"], inputs["policyArn"]
        self.send(aws, "AttachRolePolicy", {"RoleName": role, "PolicyArn": arn})
        return self.created(aws, f"{role}/{arn}", inputs)

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        role, arn = resource_id.split("/", 1)
        answer = self.ask(aws, "ListAttachedRolePolicies", {"RoleName": role})
        attached = [policy["PolicyArn"] for policy in items(answer or {}, "AttachedPolicies")]
        return {"role": role, "policyArn": arn} if arn in attached else None

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        role, arn = resource_id.split("/", 1)
        self.ask(aws, "DetachRolePolicy", {"RoleName": role, "PolicyArn": arn})


def policy_text(found: Any, declared: Any) -> str:
    """A policy as the program wrote it where AWS holds the same, else as AWS holds it."""
    held = json.loads(found) if isinstance(found, str) else found
    if isinstance(declared, str) and held == json.loads(declared):
        return declared
    return json.dumps(held)


HANDLERS: tuple[ResourceHandler, ...] = (Role(), RolePolicy(), RolePolicyAttachment())
