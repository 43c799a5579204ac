"""Managed policies of IAM, and the identity providers that roles trust."""

from typing import Any, ClassVar

from rehearsal.provider.handler import AutoName, AwsClients, Created, Properties, ResourceHandler
from rehearsal.provider.iam import policy_text
from rehearsal.provider.items import items, tag_map, tag_outputs
from rehearsal.provider.lifecycle import AwsRefusedError
from rehearsal.provider.service import ServiceHandler
from rehearsal.provider.tagging import TagCalls, all_tags

_VERSIONS_KEPT = 5
"""AWS keeps no more versions of a policy."""
_LONGEST_POLICY = 6_144
"""Characters of a managed policy, white space not counted, which moto does not count."""


class Policy(ServiceHandler):
    """A managed policy; the id is its ARN, and each change a new default version."""

    token = "aws:iam/policy:Policy"
    service = "iam"
    autoname: ClassVar[AutoName | None] = AutoName(name_property="name", max_length=128)
    replace_on = frozenset({"name", "namePrefix", "path", "description"})
    taggable = True
    tag_calls = TagCalls(
        service="iam", arn="PolicyArn", list_call="ListPolicyTags", tag_call="TagPolicy", untag_call="UntagPolicy"
    )

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        request: dict[str, Any] = {
            "PolicyName": inputs["name"],
            "Path": inputs.get("path", "/"),
            "PolicyDocument": _checked(inputs),
            **self.tagged(inputs),
        }
        if inputs.get("description"):
            request["Description"] = inputs["description"]
        arn = self.send(aws, "CreatePolicy", request)["Policy"]["Arn"]
        return self.created(aws, arn, inputs)

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        answer = self.ask(aws, "GetPolicy", {"PolicyArn": resource_id})
        if answer is None:
            return None
        policy = answer["Policy"]
        version = {"PolicyArn": resource_id, "VersionId": policy["DefaultVersionId"]}
        document = self.send(aws, "GetPolicyVersion", version)["PolicyVersion"]["Document"]
        found = {
            "name": policy["PolicyName"],
            "path": policy["Path"],
            "policyId": policy["PolicyId"],
            "description": policy.get("Description", ""),
            "policy": policy_text(document, state.get("policy")),
        }
        return {**self.outputs(aws, state, found, arn=resource_id)}

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        if olds.get("policy") != news.get("policy"):
            versions = self.send(aws, "ListPolicyVersions", {"PolicyArn": resource_id})["Versions"]
            if len(versions) >= _VERSIONS_KEPT:
                oldest = min((each for each in versions if not each["IsDefaultVersion"]), key=_created)
                self.send(aws, "DeletePolicyVersion", {"PolicyArn": resource_id, "VersionId": oldest["VersionId"]})
            version = {"PolicyArn": resource_id, "PolicyDocument": _checked(news), "SetAsDefault": True}
            self.send(aws, "CreatePolicyVersion", version)
        self.retag(aws, olds, news, resource_id)
        return self.present(aws, resource_id, news)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        named = {"PolicyArn": resource_id}
        for version in items(self.ask(aws, "ListPolicyVersions", named) or {}, "Versions"):
            if not version["IsDefaultVersion"]:
                self.ask(aws, "DeletePolicyVersion", {**named, "VersionId": version["VersionId"]})
        self.ask(aws, "DeletePolicy", named)


def _created(version: dict[str, Any]) -> Any:
    return version["CreateDate"]


def _checked(inputs: Properties) -> str:
    document = str(inputs["policy"])
    length = len("".join(document.split()))
    if length > _LONGEST_POLICY:
        raise AwsRefusedError(
            f"CreatePolicy: LimitExceeded: Cannot exceed quota for PolicySize: {_LONGEST_POLICY} "
            f"({inputs.get('name')} has {length} characters)"
        )
    return document


class OpenIdConnectProvider(ServiceHandler):
    """An identity provider; the id is its ARN. An account has one per address."""

    token = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
    service = "iam"
    replace_on = frozenset({"url"})
    taggable = True
    not_shown = "Its tokens: whoever calls says what they hold, no signature is checked."

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        request = {"Url": inputs["url"], "ClientIDList": items(inputs, "clientIdLists")}
        thumbprints = items(inputs, "thumbprintLists")
        tags = [{"Key": key, "Value": value} for key, value in sorted(all_tags(inputs).items())]
        request |= {"ThumbprintList": thumbprints} if thumbprints else {}
        request |= {"Tags": tags} if tags else {}
        arn = self.send(aws, "CreateOpenIDConnectProvider", request)["OpenIDConnectProviderArn"]
        return self.created(aws, arn, inputs)

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        answer = self.ask(aws, "GetOpenIDConnectProvider", {"OpenIDConnectProviderArn": resource_id})
        if answer is None:
            return None
        held = str(answer["Url"])
        return {
            "arn": resource_id,
            "url": held if held.startswith("https://") else f"https://{held}",
            "clientIdLists": items(answer, "ClientIDList"),
            "thumbprintLists": items(answer, "ThumbprintList"),
            **tag_outputs(tag_map(items(answer, "Tags")), state),
        }

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        named = {"OpenIDConnectProviderArn": resource_id}
        before, after = set(items(olds, "clientIdLists")), set(items(news, "clientIdLists"))
        for client in sorted(before - after):
            self.send(aws, "RemoveClientIDFromOpenIDConnectProvider", {**named, "ClientID": client})
        for client in sorted(after - before):
            self.send(aws, "AddClientIDToOpenIDConnectProvider", {**named, "ClientID": client})
        thumbprints = items(news, "thumbprintLists")
        if thumbprints and thumbprints != items(olds, "thumbprintLists"):
            self.send(aws, "UpdateOpenIDConnectProviderThumbprint", {**named, "ThumbprintList": thumbprints})
        self._retag(aws, named, all_tags(olds), all_tags(news))
        return self.present(aws, resource_id, news)

    def _retag(self, aws: AwsClients, named: dict[str, Any], before: dict[str, str], after: dict[str, str]) -> None:
        gone = sorted(set(before) - set(after))
        put = [{"Key": key, "Value": value} for key, value in sorted(after.items()) if before.get(key) != value]
        if gone:
            self.send(aws, "UntagOpenIDConnectProvider", {**named, "TagKeys": gone})
        if put:
            self.send(aws, "TagOpenIDConnectProvider", {**named, "Tags": put})

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        self.ask(aws, "DeleteOpenIDConnectProvider", {"OpenIDConnectProviderArn": resource_id})


HANDLERS: tuple[ResourceHandler, ...] = (Policy(), OpenIdConnectProvider())
