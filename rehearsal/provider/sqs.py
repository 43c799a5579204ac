"""SQS queues and their policies; both are attributes of one queue, known by its URL."""

from typing import Any, ClassVar

from rehearsal.provider.handler import AutoName, AwsClients, Created, Properties, ResourceHandler
from rehearsal.provider.iam import policy_text
from rehearsal.provider.items import tag_outputs
from rehearsal.provider.service import ServiceHandler
from rehearsal.provider.tagging import all_tags

_ATTRIBUTES = {
    "contentBasedDeduplication": "ContentBasedDeduplication",
    "deduplicationScope": "DeduplicationScope",
    "delaySeconds": "DelaySeconds",
    "fifoQueue": "FifoQueue",
    "fifoThroughputLimit": "FifoThroughputLimit",
    "kmsDataKeyReusePeriodSeconds": "KmsDataKeyReusePeriodSeconds",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "maxMessageSize": "MaximumMessageSize",
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "policy": "Policy",
    "receiveWaitTimeSeconds": "ReceiveMessageWaitTimeSeconds",
    "redriveAllowPolicy": "RedriveAllowPolicy",
    "redrivePolicy": "RedrivePolicy",
    "sqsManagedSseEnabled": "SqsManagedSseEnabled",
    "visibilityTimeoutSeconds": "VisibilityTimeout",
}
_TEXTS = frozenset({"policy", "redriveAllowPolicy", "redrivePolicy"})
_SWITCHES = frozenset({"contentBasedDeduplication", "fifoQueue", "sqsManagedSseEnabled"})


class Queue(ServiceHandler):
    """A queue; the id is its URL."""

    token = "aws:sqs/queue:Queue"
    service = "sqs"
    autoname: ClassVar[AutoName | None] = AutoName(name_property="name", max_length=80)
    replace_on = frozenset({"name", "namePrefix", "fifoQueue", "region"})
    taggable = True

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        tags = all_tags(inputs)
        request: dict[str, Any] = {"QueueName": inputs["name"], "Attributes": _attributes(inputs)}
        url = self.send(aws, "CreateQueue", {**request, **({"tags": tags} if tags else {})})["QueueUrl"]
        return self.created(aws, url, inputs)

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        answer = self.ask(aws, "GetQueueAttributes", {"QueueUrl": resource_id, "AttributeNames": ["All"]})
        if answer is None:
            return None
        held: dict[str, str] = answer.get("Attributes", {})
        tags: dict[str, str] = self.send(aws, "ListQueueTags", {"QueueUrl": resource_id}).get("Tags", {})
        outputs: Properties = {"name": resource_id.rsplit("/", 1)[-1], "url": resource_id, "region": aws.region}
        for name, attribute in _ATTRIBUTES.items():
            if attribute in held:
                outputs[name] = _value(name, held[attribute], state)
        return {**outputs, "arn": held["QueueArn"], **tag_outputs(tags, state)}

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        wanted = {**{_ATTRIBUTES[name]: "" for name in olds if name in _TEXTS}, **_attributes(news)}
        wanted.pop("FifoQueue", None)
        if wanted:
            self.send(aws, "SetQueueAttributes", {"QueueUrl": resource_id, "Attributes": wanted})
        self._retag(aws, resource_id, all_tags(olds), all_tags(news))
        return self.present(aws, resource_id, news)

    def _retag(self, aws: AwsClients, url: str, before: dict[str, str], after: dict[str, str]) -> None:
        gone = sorted(set(before) - set(after))
        if gone:
            self.send(aws, "UntagQueue", {"QueueUrl": url, "TagKeys": gone})
        if before != after and after:
            self.send(aws, "TagQueue", {"QueueUrl": url, "Tags": after})

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        self.ask(aws, "DeleteQueue", {"QueueUrl": resource_id})


class QueuePolicy(ServiceHandler):
    """Who may send to a queue; the id is the queue's URL."""

    token = "aws:sqs/queuePolicy:QueuePolicy"
    service = "sqs"
    replace_on = frozenset({"queueUrl", "region"})

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        self._set(aws, inputs["queueUrl"], inputs["policy"])
        return self.created(aws, inputs["queueUrl"], inputs)

    def _set(self, aws: AwsClients, url: str, policy: str) -> None:
        self.send(aws, "SetQueueAttributes", {"QueueUrl": url, "Attributes": {"Policy": policy}})

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        answer = self.ask(aws, "GetQueueAttributes", {"QueueUrl": resource_id, "AttributeNames": ["Policy"]})
        policy = (answer or {}).get("Attributes", {}).get("Policy")
        if not policy:
            return None
        return {"queueUrl": resource_id, "policy": policy_text(policy, state.get("policy")), "region": aws.region}

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        self._set(aws, resource_id, news["policy"])
        return self.present(aws, resource_id, news)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        self.ask(aws, "SetQueueAttributes", {"QueueUrl": resource_id, "Attributes": {"Policy": ""}})


def _attributes(inputs: Properties) -> dict[str, str]:
    held = {name: inputs[name] for name in _ATTRIBUTES if name in inputs}
    if held.get("fifoQueue") is False:
        del held["fifoQueue"]  # AWS takes the attribute only when it is true
    return {
        _ATTRIBUTES[name]: str(value).lower() if isinstance(value, bool) else str(value) for name, value in held.items()
    }


def _value(name: str, text: str, state: Properties) -> Any:
    if name in _TEXTS:
        return policy_text(text, state.get(name))
    if name in _SWITCHES:
        return text.lower() == "true"
    return int(text) if text.lstrip("-").isdigit() else text


HANDLERS: tuple[ResourceHandler, ...] = (Queue(), QueuePolicy())
