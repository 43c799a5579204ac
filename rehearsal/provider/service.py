"""What the handlers of one service have in common: properties to request, answer to outputs, tags, and what moto drops.

A handler names its `service`, its `spelling` and its `tag_calls`; the rest is a line or two per call. `dropped` are the
properties that the request carries (and that were checked against the service model) but that moto does not give back:
they are kept from the program, and FIDELITY.md says so. `local` are those that never reach AWS on AWS either.
"""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal

from rehearsal.provider.handler import AwsClients, Created, Properties, ResourceHandler
from rehearsal.provider.lifecycle import AwsRefusedError
from rehearsal.provider.requests import ask, input_shape, output_shape, send
from rehearsal.provider.shapes import Spelling, from_aws, mapped, to_aws
from rehearsal.provider.tagging import TagCalls, all_tags

Tier = Literal["applied", "checked"]
_NEVER_SENT = frozenset({"tags", "tagsAll", "region", "namePrefix"})


class ServiceHandler(ResourceHandler):
    """A handler driven by the request and answer shapes of its service."""

    service: ClassVar[str]
    spelling: ClassVar[Spelling] = Spelling()
    tag_calls: ClassVar[TagCalls | None] = None
    local: ClassVar[frozenset[str]] = frozenset()
    dropped: ClassVar[frozenset[str]] = frozenset()
    tier: ClassVar[Tier] = "applied"
    not_shown: ClassVar[str] = ""
    """What the rehearsal cannot show about this type, one sentence, for FIDELITY.md."""

    def params(
        self, aws: AwsClients, operation: str, properties: Properties, *, without: Iterable[str] = (), member: str = ""
    ) -> dict[str, Any]:
        """`properties` as the request of `operation` (or as its structure `member`); raises UnknownPropertyError."""
        skipped = _NEVER_SENT | self.local | set(without)
        wanted = {name: value for name, value in properties.items() if name not in skipped}
        shape = input_shape(aws, self.service, operation)
        return to_aws(shape.members[member] if member else shape, wanted, self.spelling)

    def tagged(self, properties: Properties, member: str = "Tags") -> dict[str, Any]:
        """The tag part of a create request, empty where there are none."""
        tags = all_tags(properties)
        return {member: self.tag_calls.spelt(tags)} if tags and self.tag_calls else {}

    def send(self, aws: AwsClients, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer of AWS to a checked request."""
        return send(aws, self.service, operation, request)

    def ask(self, aws: AwsClients, operation: str, request: Mapping[str, Any]) -> dict[str, Any] | None:
        """The answer of AWS, None when the resource is gone."""
        return ask(aws, self.service, operation, request)

    def answered(self, aws: AwsClients, operation: str, answer: Mapping[str, Any], member: str = "") -> Properties:
        """`answer` (a whole one, or that of its `member`) in Pulumi's form."""
        shape = output_shape(aws, self.service, operation)
        if member:
            shape = shape.members[member]
        return from_aws(getattr(shape, "member", shape) if isinstance(answer, list) else shape, answer, self.spelling)

    def outputs(self, aws: AwsClients, state: Properties, answered: Properties, *, arn: str = "") -> Properties:
        """`answered`, with what only the program knows taken from `state` and the tags read back."""
        kept = {name: state[name] for name in (*self.local, *self.dropped) if name in state}
        outputs: Properties = {**answered, **kept, "region": aws.region}
        if arn:
            outputs["arn"] = arn
        if self.tag_calls and arn:
            tags = self.tag_calls.read(aws, arn)
            outputs["tagsAll"] = tags
            outputs["tags"] = {name: tags[name] for name in mapped(state.get("tags")) if name in tags}
        return outputs

    def created(self, aws: AwsClients, resource_id: str, inputs: Properties) -> Created:
        """The resource as read back; raises VanishedError when AWS does not know it."""
        return Created(id=resource_id, outputs=self.present(aws, resource_id, inputs))

    def present(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties:
        """What `read` gives for a resource that must exist."""
        outputs = self.read(aws, resource_id, state)
        if outputs is None:
            raise VanishedError(self.token, resource_id)
        return outputs

    def retag(self, aws: AwsClients, olds: Properties, news: Properties, arn: str = "") -> None:
        """Bring the tags from `olds` to `news`."""
        if self.tag_calls:
            self.tag_calls.write(aws, arn or str(olds["arn"]), olds, news)


class VanishedError(AwsRefusedError):
    """AWS accepted a resource and does not know it a moment later."""

    def __init__(self, token: str, resource_id: str) -> None:
        super().__init__(f"{token} {resource_id}: was created or updated, but AWS does not know it")


def changed(olds: Properties, news: Properties, *, but: Iterable[str] = ("tags", "tagsAll")) -> set[str]:
    """The properties that differ, apart from tags."""
    return {name for name in {*olds, *news} - set(but) if olds.get(name) != news.get(name)}
