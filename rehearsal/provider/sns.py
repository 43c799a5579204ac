"""SNS topics, their policies and subscriptions."""

from typing import Any, ClassVar

from rehearsal.provider.handler import AutoName, AwsClients, Created, Properties, ResourceHandler
from rehearsal.provider.iam import policy_text
from rehearsal.provider.service import ServiceHandler
from rehearsal.provider.tagging import TagCalls

_ATTRIBUTES = {
    "contentBasedDeduplication": "ContentBasedDeduplication",
    "deliveryPolicy": "DeliveryPolicy",
    "displayName": "DisplayName",
    "fifoTopic": "FifoTopic",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "policy": "Policy",
    "signatureVersion": "SignatureVersion",
    "tracingConfig": "TracingConfig",
}
_SUBSCRIPTION = {
    "deliveryPolicy": "DeliveryPolicy",
    "filterPolicy": "FilterPolicy",
    "filterPolicyScope": "FilterPolicyScope",
    "rawMessageDelivery": "RawMessageDelivery",
    "redrivePolicy": "RedrivePolicy",
    "subscriptionRoleArn": "SubscriptionRoleArn",
}
_TEXTS = frozenset({"policy", "deliveryPolicy", "filterPolicy", "redrivePolicy"})


class Topic(ServiceHandler):
    """A topic; the id is its ARN."""

    token = "aws:sns/topic:Topic"
    service = "sns"
    autoname: ClassVar[AutoName | None] = AutoName(name_property="name", max_length=256)
    replace_on = frozenset({"name", "namePrefix", "fifoTopic", "region"})
    taggable = True
    tag_calls: ClassVar[TagCalls | None] = TagCalls(service="sns")

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        request = {"Name": inputs["name"], "Attributes": _attributes(inputs, _ATTRIBUTES), **self.tagged(inputs)}
        return self.created(aws, self.send(aws, "CreateTopic", request)["TopicArn"], inputs)

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        answer = self.ask(aws, "GetTopicAttributes", {"TopicArn": resource_id})
        if answer is None:
            return None
        held: dict[str, str] = answer["Attributes"]
        outputs = _outputs(held, _ATTRIBUTES, state)
        outputs |= {"name": resource_id.rsplit(":", 1)[-1], "owner": held.get("Owner", aws.account_id)}
        return self.outputs(aws, state, outputs, arn=resource_id)

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        for name, attribute in _ATTRIBUTES.items():
            if olds.get(name) != news.get(name):
                value = _attributes(news, {name: attribute}).get(attribute, "")
                request = {"TopicArn": resource_id, "AttributeName": attribute, "AttributeValue": value}
                self.send(aws, "SetTopicAttributes", request)
        self.retag(aws, olds, news, resource_id)
        return self.present(aws, resource_id, news)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        self.ask(aws, "DeleteTopic", {"TopicArn": resource_id})


class TopicPolicy(ServiceHandler):
    """Who may publish to a topic; the id is the topic's ARN. Deleting it leaves the owner's default."""

    token = "aws:sns/topicPolicy:TopicPolicy"
    service = "sns"
    replace_on = frozenset({"arn", "region"})

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        self._set(aws, inputs["arn"], inputs["policy"])
        return self.created(aws, inputs["arn"], inputs)

    def _set(self, aws: AwsClients, arn: str, policy: str) -> None:
        request = {"TopicArn": arn, "AttributeName": "Policy", "AttributeValue": policy}
        self.send(aws, "SetTopicAttributes", request)

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        answer = self.ask(aws, "GetTopicAttributes", {"TopicArn": resource_id})
        if answer is None:
            return None
        policy = policy_text(answer["Attributes"]["Policy"], state.get("policy"))
        return {"arn": resource_id, "owner": aws.account_id, "policy": policy, "region": aws.region}

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        self._set(aws, resource_id, news["policy"])
        return self.present(aws, resource_id, news)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        if self.read(aws, resource_id, state) is not None:
            self._set(aws, resource_id, _default_policy(resource_id, aws.account_id))


class TopicSubscription(ServiceHandler):
    """Who is told; the id is the subscription's ARN. One by mail waits for its reader to confirm."""

    token = "aws:sns/topicSubscription:TopicSubscription"
    service = "sns"
    replace_on = frozenset({"topic", "protocol", "endpoint", "region"})
    local = frozenset({"confirmationTimeoutInMinutes", "endpointAutoConfirms"})
    not_shown = "No mail is sent and no confirmation asked for."

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        request: dict[str, Any] = {
            "TopicArn": inputs["topic"],
            "Protocol": inputs["protocol"],
            "Endpoint": inputs["endpoint"],
            "ReturnSubscriptionArn": True,
        }
        attributes = _attributes(inputs, _SUBSCRIPTION)
        if attributes:
            request["Attributes"] = attributes
        return self.created(aws, self.send(aws, "Subscribe", request)["SubscriptionArn"], inputs)

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        answer = self.ask(aws, "GetSubscriptionAttributes", {"SubscriptionArn": resource_id})
        if answer is None:
            return None
        held: dict[str, str] = answer["Attributes"]
        outputs = _outputs(held, _SUBSCRIPTION, state)
        outputs |= {
            "topic": held["TopicArn"],
            "protocol": held.get("Protocol", state.get("protocol")),
            "endpoint": held.get("Endpoint", state.get("endpoint")),
            "ownerId": held.get("Owner", aws.account_id),
            "pendingConfirmation": held.get("PendingConfirmation", "false") == "true",
        }
        return {**self.outputs(aws, state, outputs), "arn": resource_id}

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        for name, attribute in _SUBSCRIPTION.items():
            if olds.get(name) != news.get(name):
                value = _attributes(news, {name: attribute}).get(attribute, "")
                request = {"SubscriptionArn": resource_id, "AttributeName": attribute, "AttributeValue": value}
                self.send(aws, "SetSubscriptionAttributes", request)
        return self.present(aws, resource_id, news)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        self.ask(aws, "Unsubscribe", {"SubscriptionArn": resource_id})


def _attributes(inputs: Properties, names: dict[str, str]) -> dict[str, str]:
    held = {attribute: inputs[name] for name, attribute in names.items() if name in inputs}
    return {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in held.items()}


def _outputs(held: dict[str, str], names: dict[str, str], state: Properties) -> Properties:
    outputs: Properties = {}
    for name, attribute in names.items():
        text = held.get(attribute)
        if not text:
            continue
        if name in _TEXTS:
            outputs[name] = policy_text(text, state.get(name))
        elif text.lower() in ("true", "false"):
            outputs[name] = text.lower() == "true"
        else:
            outputs[name] = int(text) if name == "signatureVersion" else text
    return outputs


def _default_policy(arn: str, account: str) -> str:
    actions = "SNS:GetTopicAttributes SNS:SetTopicAttributes SNS:AddPermission SNS:RemovePermission SNS:DeleteTopic"
    actions += " SNS:Subscribe SNS:ListSubscriptionsByTopic SNS:Publish"
    listed = ", ".join(f'"{action}"' for action in actions.split())
    return (
        '{"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [{"Sid": "__default_statement_ID",'
        f' "Effect": "Allow", "Principal": {{"AWS": "*"}}, "Action": [{listed}], "Resource": "{arn}",'
        f' "Condition": {{"StringEquals": {{"AWS:SourceOwner": "{account}"}}}}}}]}}'
    )


HANDLERS: tuple[ResourceHandler, ...] = (Topic(), TopicPolicy(), TopicSubscription())
