"""What every EC2 resource has in common: tags given at creation, one describe call, ids and ARNs made the same way."""

from collections.abc import Mapping
from typing import Any, ClassVar

from rehearsal.provider.handler import AwsClients, Created, Properties
from rehearsal.provider.items import items, tag_map, tag_outputs
from rehearsal.provider.service import ServiceHandler
from rehearsal.provider.tagging import all_tags

_GONE_STATES = frozenset({"deleted", "deleting", "Deleted"})


class Ec2Handler(ServiceHandler):
    """A resource of EC2: `kind` is its name in tag specifications and ARNs, `listing` its describe call."""

    service = "ec2"
    taggable = True
    kind: ClassVar[str]
    listing: ClassVar[str]
    ids: ClassVar[str]
    """The member of the describe request that takes ids."""
    listed: ClassVar[str]
    """The member of the describe answer that holds what was found."""

    def tagged(self, properties: Properties, member: str = "TagSpecifications") -> dict[str, Any]:
        """The tag part of a create request, empty where there are none."""
        tags = all_tags(properties)
        spelt = [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
        return {member: [{"ResourceType": self.kind, "Tags": spelt}]} if spelt else {}

    def retag(self, aws: AwsClients, olds: Properties, news: Properties, arn: str = "") -> None:
        """Bring the tags of the resource with the id `arn` from `olds` to `news`; EC2 knows its resources by id."""
        before, after = all_tags(olds), all_tags(news)
        gone = [{"Key": key} for key in sorted(set(before) - set(after))]
        if gone:
            self.send(aws, "DeleteTags", {"Resources": [arn], "Tags": gone})
        put = [{"Key": key, "Value": value} for key, value in sorted(after.items()) if before.get(key) != value]
        if put:
            self.send(aws, "CreateTags", {"Resources": [arn], "Tags": put})

    def arn(self, aws: AwsClients, resource_id: str) -> str:
        """`arn:aws:ec2:<region>:<account>:<kind>/<id>`."""
        return f"arn:aws:ec2:{aws.region}:{aws.account_id}:{self.kind}/{resource_id}"

    def found(self, aws: AwsClients, resource_id: str) -> dict[str, Any] | None:
        """What EC2 says of the resource, None when it is gone."""
        answer = self.ask(aws, self.listing, {self.ids: [resource_id]})
        entries: list[dict[str, Any]] = answer[self.listed] if answer else []
        living = [entry for entry in entries if entry.get("State") not in _GONE_STATES]
        return living[0] if living else None

    def described(self, aws: AwsClients, resource_id: str, found: Mapping[str, Any], state: Properties) -> Properties:
        """The outputs made of `found`, without tags and ARN."""
        raise LookupError(f"{type(self).__name__} describes nothing of {resource_id} ({aws}, {found}, {state})")

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        """The outputs as EC2 holds them now."""
        found = self.found(aws, resource_id)
        if found is None:
            return None
        outputs = {
            "arn": self.arn(aws, resource_id),
            "region": aws.region,
            **tag_outputs(tag_map(items(found, "Tags")), state),
        }
        if "OwnerId" in found:
            outputs["ownerId"] = found["OwnerId"]
        return {**outputs, **self.described(aws, resource_id, found, state)}

    def kept(self, aws: AwsClients, resource_id: str, inputs: Properties) -> Created:
        """The resource just made, read back; what cannot be read back is deleted again, so that nothing is lost."""
        try:
            return self.created(aws, resource_id, inputs)
        except Exception:
            self.delete(aws, resource_id, inputs)
            raise
