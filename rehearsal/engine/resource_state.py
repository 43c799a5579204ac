"""One resource as the state remembers it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class ResourceState:
    """One resource as it was last made; `inputs` are the checked ones, `outputs` were read back from AWS.

    `external` ones were only read, as those of `Resource.get` and StackReferences are. `secrets` names the top-level
    properties that are, or hold, a secret.
    """

    urn: str
    type: str
    custom: bool
    id: str = ""
    parent: str = ""
    provider: str = ""
    inputs: dict[str, Any] = field(default_factory=dict[str, Any])
    outputs: dict[str, Any] = field(default_factory=dict[str, Any])
    dependencies: tuple[str, ...] = ()
    property_dependencies: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    protect: bool = False
    retain_on_delete: bool = False
    deleted_with: str = ""
    pending_delete: bool = False
    external: bool = False
    secrets: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """A replaced resource waiting to be deleted shares its URN with its replacement, not its id."""
        return f"{self.urn}::{self.id}" if self.pending_delete else self.urn

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> "ResourceState":
        """The resource in one entry of the journal."""
        fields: dict[str, Any] = dict(entry)
        fields["dependencies"] = tuple(entry.get("dependencies", ()))
        fields["secrets"] = tuple(entry.get("secrets", ()))
        fields["property_dependencies"] = {
            key: tuple(urns) for key, urns in entry.get("property_dependencies", {}).items()
        }
        return cls(**fields)
