"""A declared resource as the rules see it, and how a value that is not known yet is treated.

In a preview some values are not known: the ARN of a bucket that is yet to be made, a secret. A rule that needs such a
value has no verdict (`Undecided`): neither a violation nor a pass. It is decided where the value is known, which is at
the latest in the `pulumi up` that runs the same rules over the resolved inputs, before the resource is made.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

from infra.policies.documents import Statement, parse_statements

# One each for a boolean, number, string, list, asset, archive and object: sdk/go/common/resource/plugin/rpc.go
UNKNOWN_VALUES = frozenset(
    {
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET_TEXT = "[secret]"  # noqa: S105 - what `pulumi preview --json` writes in a secret's place


class Undecided(Exception):  # noqa: N818 - not an error: a verdict that cannot be given yet
    """A value that the verdict depends on is not known; the message is its path."""


def is_unknown(value: object) -> bool:
    """Whether the value is known only once deployed, or is a secret."""
    if isinstance(value, str):
        return value in UNKNOWN_VALUES or value == _SECRET_TEXT
    return isinstance(value, Mapping) and _SIGNATURE in value


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource of a stack with the inputs that the program gave it."""

    type: str
    """Pulumi's type token, such as `aws:s3/bucket:Bucket`."""
    name: str
    """The logical name."""
    properties: Mapping[str, Any] = field(default_factory=dict[str, Any])
    urn: str = ""
    protect: bool = False

    @property
    def label(self) -> str:
        """Type and name, as exemptions and messages name it."""
        return f"{self.type}::{self.name}"

    @property
    def identity(self) -> str:
        """The URN, or what stands for it where there is none (in examples)."""
        return self.urn or self.label


class Known(dict[str, Any]):
    """A part of a resource's properties; `get` raises Undecided for what is not known yet."""

    def get(self, key: str, default: Any = None, /) -> Any:
        """The value of `key`."""
        value = super().get(key, default)
        if is_unknown(value):
            raise Undecided(key)
        return Known(cast(Mapping[str, Any], value)) if isinstance(value, Mapping) else value


@dataclass(frozen=True)
class Properties:
    """The properties of one resource, read by path; reading what is not known raises Undecided."""

    resource: Resource

    def at(self, path: str) -> Any:
        """The value at `a.b.0.c`, None where there is none."""
        value: Any = self.resource.properties
        for step in path.split("."):
            value = _step(value, step)
            if is_unknown(value):
                raise Undecided(path)
            if value is None:
                return None
        return value

    def items(self, path: str) -> list[Any]:
        """The list at `path`, empty where there is none; a single value counts as a list of one."""
        value = self.at(path)
        if value is None:
            return []
        values: list[Any] = list(cast(Sequence[Any], value)) if isinstance(value, list | tuple) else [value]
        if any(is_unknown(each) for each in values):
            raise Undecided(path)
        return [Known(cast(Mapping[str, Any], each)) if isinstance(each, Mapping) else each for each in values]

    def statements(self, path: str) -> tuple[Statement, ...]:
        """The statements of the policy document at `path`; none where there is no document.

        Undecided for what is no policy document: AWS refuses it by itself.
        """
        document = self.at(path)
        if document is None:
            return ()
        try:
            return parse_statements(document)
        except ValueError as error:
            raise Undecided(path) from error

    def document(self, path: str) -> Any:
        """The JSON text at `path`, parsed."""
        text = self.at(path)
        return json.loads(text) if isinstance(text, str) else text


def _step(value: Any, step: str) -> Any:
    if isinstance(value, Mapping):
        return cast(Mapping[str, Any], value).get(step)
    if isinstance(value, list | tuple) and step.isdigit():
        values = cast(Sequence[Any], value)
        return values[int(step)] if int(step) < len(values) else None
    return None


@dataclass(frozen=True)
class Stack:
    """All resources of a stack, for rules over how they relate."""

    resources: tuple[Resource, ...]

    @cached_property
    def _by_type(self) -> dict[str, list[Resource]]:
        grouped: dict[str, list[Resource]] = {}
        for resource in self.resources:
            grouped.setdefault(resource.type, []).append(resource)
        return grouped

    def of(self, *types: str) -> list[Resource]:
        """The resources of these types."""
        return [resource for type_ in types for resource in self._by_type.get(type_, [])]

    def referring(self, types: Sequence[str], key: str, *values: Any) -> list[Resource]:
        """The resources of `types` whose `key` is one of `values`.

        Undecided where none is, but the value or the key of one of them is not known yet: that one may be it.
        """
        candidates = [(each, each.properties.get(key)) for each in self.of(*types)]
        wanted = [value for value in values if value is not None and not is_unknown(value)]
        found = [each for each, value in candidates if value in wanted]
        open_ = not wanted or any(is_unknown(value) for _, value in candidates)
        if not found and candidates and open_:
            raise Undecided(key)
        return found
