"""What one resource type must be able to do on the rehearsal AWS.

Properties travel in Pulumi's wire form: camelCase keys, plain JSON values. A handler turns them into boto3 calls and
turns what AWS answers back into the same form, so that outputs are read back, never echoed from the program.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

Properties = dict[str, Any]


class AwsClients(Protocol):
    """Where a handler gets its boto3 clients: one account, one region, one endpoint."""

    @property
    def account_id(self) -> str:
        """The twelve digits of the account the credentials belong to."""
        ...

    @property
    def region(self) -> str:
        """Such as `eu-west-1`."""
        ...

    def client(self, service: str) -> Any:
        """The boto3 client of `service`, cached and safe to use from several threads."""
        ...


@dataclass(frozen=True, kw_only=True)
class AutoName:
    """How the real provider names a resource whose name the program leaves open: `<logical name>-<7 hex digits>`."""

    name_property: str
    max_length: int = 255
    separator: str = "-"


@dataclass(frozen=True, kw_only=True)
class Created:
    """A resource that now exists: its physical id and its outputs as read back from AWS."""

    id: str
    outputs: Properties


class ResourceHandler(ABC):
    """Create, read, update and delete one Pulumi resource type with boto3."""

    token: ClassVar[str]
    """The Pulumi type token, such as `aws:s3/bucket:Bucket`."""

    autoname: ClassVar[AutoName | None] = None
    replace_on: ClassVar[frozenset[str]] = frozenset()
    """Top-level input properties whose change cannot be made in place."""

    delete_before_replace: ClassVar[bool] = False
    taggable: ClassVar[bool] = False
    """Whether the provider's default tags are merged into `tagsAll`."""

    @abstractmethod
    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        """Make the resource. `inputs` are complete: names filled in, `tagsAll` merged."""

    @abstractmethod
    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        """The outputs as AWS holds them now, or None when the resource is gone."""

    def update(
        self,
        aws: AwsClients,
        resource_id: str,
        olds: Properties,
        news: Properties,
    ) -> Properties:
        """Change the resource in place from the inputs `olds` to the inputs `news`; its outputs as read back."""
        raise UpdateNotPossible(self.token, sorted(key for key in {*olds, *news} if olds.get(key) != news.get(key)))

    @abstractmethod
    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        """Remove the resource; one that is gone already is no error."""


class UpdateNotPossible(Exception):  # noqa: N818  says what is so
    """A property changed that neither `update` nor `replace_on` of its handler covers."""

    def __init__(self, token: str, keys: list[str]) -> None:
        super().__init__(f"{token}: no way to change {', '.join(keys)} in place")


def by_token(*handlers: ResourceHandler) -> Mapping[str, ResourceHandler]:
    """The handlers keyed by the type they serve."""
    return {handler.token: handler for handler in handlers}
