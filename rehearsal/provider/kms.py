"""KMS keys and their aliases."""

from typing import Any, ClassVar

from rehearsal.provider.handler import AwsClients, Created, Properties, ResourceHandler
from rehearsal.provider.iam import policy_text
from rehearsal.provider.items import tag_outputs
from rehearsal.provider.service import ServiceHandler
from rehearsal.provider.tagging import TagCalls


class _KmsTags(TagCalls):
    """KMS spells the two members of a tag TagKey and TagValue."""

    def spelt(self, tags: Any) -> Any:
        return [{"TagKey": name, "TagValue": text} for name, text in sorted(tags.items())]


class Key(ServiceHandler):
    """A key with its policy and rotation; deleting it schedules its deletion, as AWS knows no other."""

    token = "aws:kms/key:Key"
    service = "kms"
    taggable = True
    tag_calls: ClassVar[TagCalls | None] = _KmsTags(service="kms", arn="KeyId", list_call="ListResourceTags")
    replace_on = frozenset({"customerMasterKeySpec", "keyUsage", "multiRegion", "customKeyStoreId", "region"})
    local = frozenset({"deletionWindowInDays", "bypassPolicyLockoutSafetyCheck"})

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        members = {"description": "Description", "keyUsage": "KeyUsage", "customerMasterKeySpec": "KeySpec"}
        members |= {"multiRegion": "MultiRegion", "policy": "Policy"}
        request = {member: inputs[name] for name, member in members.items() if name in inputs}
        key_id = self.send(aws, "CreateKey", {**request, **self.tagged(inputs)})["KeyMetadata"]["KeyId"]
        try:
            self._switch(aws, key_id, {"isEnabled": True}, inputs)
            return self.created(aws, key_id, inputs)
        except Exception:
            self.delete(aws, key_id, inputs)
            raise

    def _switch(self, aws: AwsClients, key_id: str, olds: Properties, news: Properties) -> None:
        rotation = ("enableKeyRotation", "rotationPeriodInDays")
        if any(olds.get(name) != news.get(name) for name in rotation):
            if news.get("enableKeyRotation"):
                period = {"RotationPeriodInDays": news["rotationPeriodInDays"]} if rotation[1] in news else {}
                self.send(aws, "EnableKeyRotation", {"KeyId": key_id, **period})
            else:
                self.send(aws, "DisableKeyRotation", {"KeyId": key_id})
        if olds.get("isEnabled", True) != news.get("isEnabled", True):
            self.send(aws, "EnableKey" if news.get("isEnabled", True) else "DisableKey", {"KeyId": key_id})

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        named = {"KeyId": resource_id}
        answer = self.ask(aws, "DescribeKey", named)
        if answer is None or answer["KeyMetadata"]["KeyState"] == "PendingDeletion":
            return None
        key = answer["KeyMetadata"]
        policy = self.send(aws, "GetKeyPolicy", {**named, "PolicyName": "default"})["Policy"]
        # An asymmetric key does not rotate, and AWS refuses the question.
        symmetric = key.get("KeySpec", "SYMMETRIC_DEFAULT") == "SYMMETRIC_DEFAULT"
        rotation = self.send(aws, "GetKeyRotationStatus", named) if symmetric else {"KeyRotationEnabled": False}
        tags = {tag["TagKey"]: tag["TagValue"] for tag in self.send(aws, "ListResourceTags", named)["Tags"]}
        outputs: Properties = {
            "arn": key["Arn"],
            "keyId": key["KeyId"],
            "description": key.get("Description", ""),
            "isEnabled": key["Enabled"],
            "keyUsage": key.get("KeyUsage", "ENCRYPT_DECRYPT"),
            "customerMasterKeySpec": key.get("KeySpec", key.get("CustomerMasterKeySpec")),
            "multiRegion": key.get("MultiRegion", False),
            "policy": policy_text(policy, state.get("policy")),
            "enableKeyRotation": rotation["KeyRotationEnabled"],
            **tag_outputs(tags, state),
        }
        if rotation.get("RotationPeriodInDays"):
            outputs["rotationPeriodInDays"] = rotation["RotationPeriodInDays"]
        kept = {name: state[name] for name in self.local if name in state}
        return {**outputs, **kept, "region": aws.region}

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        named = {"KeyId": resource_id}
        if olds.get("description") != news.get("description"):
            self.send(aws, "UpdateKeyDescription", {**named, "Description": news.get("description", "")})
        if olds.get("policy") != news.get("policy") and "policy" in news:
            self.send(aws, "PutKeyPolicy", {**named, "PolicyName": "default", "Policy": news["policy"]})
        self._switch(aws, resource_id, olds, news)
        self.retag(aws, olds, news, resource_id)
        return self.present(aws, resource_id, news)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        answer = self.ask(aws, "DescribeKey", {"KeyId": resource_id})
        if answer is not None and answer["KeyMetadata"]["KeyState"] != "PendingDeletion":
            window = {"PendingWindowInDays": state.get("deletionWindowInDays", 30)}
            self.ask(aws, "ScheduleKeyDeletion", {"KeyId": resource_id, **window})


class Alias(ServiceHandler):
    """Another name of a key, `alias/…`; the id is that name."""

    token = "aws:kms/alias:Alias"
    service = "kms"
    replace_on = frozenset({"name", "namePrefix", "region"})

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        name = inputs["name"]
        self.send(aws, "CreateAlias", {"AliasName": name, "TargetKeyId": inputs["targetKeyId"]})
        return self.created(aws, name, inputs)

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        pages = aws.client("kms").get_paginator("list_aliases").paginate()
        found = [each for page in pages for each in page["Aliases"] if each["AliasName"] == resource_id]
        if not found:
            return None
        key_id = found[0]["TargetKeyId"]
        return {
            "name": resource_id,
            "arn": found[0]["AliasArn"],
            "targetKeyId": key_id,
            "targetKeyArn": f"arn:aws:kms:{aws.region}:{aws.account_id}:key/{key_id}",
            "region": aws.region,
        }

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        self.send(aws, "UpdateAlias", {"AliasName": resource_id, "TargetKeyId": news["targetKeyId"]})
        return self.present(aws, resource_id, news)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        self.ask(aws, "DeleteAlias", {"AliasName": resource_id})


HANDLERS: tuple[ResourceHandler, ...] = (Key(), Alias())
