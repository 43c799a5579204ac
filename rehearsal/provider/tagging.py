"""How each service reads and writes the tags of one resource: the same three calls, spelt differently everywhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rehearsal.provider.handler import AwsClients, Properties
from rehearsal.provider.requests import send
from rehearsal.provider.shapes import listed, mapped

Form = Literal["map", "list", "lower"]


@dataclass(frozen=True, kw_only=True)
class TagCalls:
    """The tag calls of one service and how it spells them.

    `form` is how tags travel: a map, a list of {Key, Value}, or a list of {key, value}.
    """

    service: str
    arn: str = "ResourceArn"
    form: Form = "list"
    list_call: str = "ListTagsForResource"
    tag_call: str = "TagResource"
    untag_call: str = "UntagResource"
    tags: str = "Tags"
    answer: str = "Tags"
    keys: str = "TagKeys"

    def spelt(self, tags: Mapping[str, str]) -> Any:
        """`tags` as a create call or `tag_call` of this service takes them."""
        if self.form == "map":
            return dict(tags)
        key, value = ("key", "value") if self.form == "lower" else ("Key", "Value")
        return [{key: name, value: text} for name, text in sorted(tags.items())]

    def read(self, aws: AwsClients, arn: str) -> dict[str, str]:
        """Every tag AWS holds for `arn`."""
        found = send(aws, self.service, self.list_call, {self.arn: arn}).get(self.answer)
        if self.form == "map":
            return dict(sorted(mapped(found).items()))
        key, value = ("key", "value") if self.form == "lower" else ("Key", "Value")
        return {entry[key]: entry[value] for entry in sorted(listed(found), key=lambda entry: entry[key])}

    def write(self, aws: AwsClients, arn: str, olds: Properties, news: Properties) -> None:
        """Bring the tags of `arn` from `olds` to `news` (both hold `tagsAll`)."""
        before, after = all_tags(olds), all_tags(news)
        gone = sorted(set(before) - set(after))
        if gone:
            send(aws, self.service, self.untag_call, {self.arn: arn, self.keys: gone})
        if changed := {name: text for name, text in after.items() if before.get(name) != text}:
            send(aws, self.service, self.tag_call, {self.arn: arn, self.tags: self.spelt(changed)})


def all_tags(properties: Properties) -> dict[str, str]:
    """The resource's own tags and the provider's default ones."""
    return {**(properties.get("tags") or {}), **(properties.get("tagsAll") or {})}


GLUE = TagCalls(service="glue", form="map", list_call="GetTags", tags="TagsToAdd", keys="TagsToRemove")
ATHENA = TagCalls(service="athena", arn="ResourceARN")
ECR = TagCalls(service="ecr", arn="resourceArn", tags="tags", answer="tags", keys="tagKeys")
STATES = TagCalls(service="stepfunctions", arn="resourceArn", form="lower", tags="tags", answer="tags", keys="tagKeys")
EVENTS = TagCalls(service="events", arn="ResourceARN")
LOGS = TagCalls(service="logs", arn="resourceArn", form="map", tags="tags", answer="tags", keys="tagKeys")
CLOUDWATCH = TagCalls(service="cloudwatch", arn="ResourceARN")
SAGEMAKER = TagCalls(service="sagemaker", list_call="ListTags", tag_call="AddTags", untag_call="DeleteTags")
AUTOSCALING = TagCalls(service="application-autoscaling", arn="ResourceARN", form="map")
BUDGETS = TagCalls(
    service="budgets", arn="ResourceARN", tags="ResourceTags", answer="ResourceTags", keys="ResourceTagKeys"
)
