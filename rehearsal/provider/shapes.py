"""Between Pulumi's camelCase properties and AWS requests, driven by botocore's own service model.

A Terraform name and the AWS name of a field differ only in case most of the time (`kmsKeyId`, `KMSKeyId`), so a
property is matched to a member of the request shape without regard to case; what really differs is in a handler's
`Spelling`. A property that matches nothing is an error: a field must never be lost on its way to AWS.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from botocore.model import ListShape, MapShape, Shape, StructureShape

from rehearsal.provider.handler import Properties
from rehearsal.provider.lifecycle import AwsRefusedError


class UnknownPropertyError(AwsRefusedError):
    """A property has no place in the AWS request it belongs to."""

    def __init__(self, name: str, shape: str) -> None:
        super().__init__(f"property {name!r} has no place in the AWS shape {shape}")


@dataclass(frozen=True, kw_only=True)
class Spelling:
    """Where the Pulumi and the AWS name of a field differ in more than case.

    `names` maps a property to its AWS member. `single` holds properties that are lists to Pulumi and one structure to
    AWS (a Terraform block that may be given once but was not flattened), such as `routingConfigs`.
    """

    names: Mapping[str, str] = field(default_factory=dict[str, str])
    single: frozenset[str] = frozenset()

    def member(self, name: str, shape: StructureShape) -> str | None:
        """The member of `shape` that the property `name` stands for; a part further down may have it as it is."""
        found = {member.casefold(): member for member in shape.members}
        return found.get(self.names.get(name, name).casefold()) or found.get(name.casefold())

    def property_name(self, member: str) -> str:
        """The property that `member` is read back as."""
        for name, aws_name in self.names.items():
            if aws_name.casefold() == member.casefold():
                return name
        return camel_case(member)


def listed(value: Any) -> list[Any]:
    """`value` where it is a list, an empty one where it is not: a block that may be left out."""
    return cast("list[Any]", value) if isinstance(value, list) else []


def mapped(value: Any) -> dict[str, Any]:
    """`value` where it is a map, an empty one where it is not: a block that may be left out."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def camel_case(member: str) -> str:
    """`KMSKeyId` → `kmsKeyId`, `VolumeSizeInGB` → `volumeSizeInGb`."""
    calm = re.sub(r"[A-Z]{2,}(?=[A-Z][a-z]|[^A-Za-z]|$)", lambda run: run.group().capitalize(), member)
    return calm[:1].lower() + calm[1:]


def to_aws(shape: Shape, value: Any, spelling: Spelling) -> Any:
    """`value` in Pulumi's form as the request value of `shape`; raises UnknownPropertyError."""
    if isinstance(shape, StructureShape):
        return _structure_to_aws(shape, value, spelling)
    if isinstance(shape, ListShape):
        return [to_aws(shape.member, item, spelling) for item in value]
    if isinstance(shape, MapShape):
        return {key: to_aws(shape.value, item, spelling) for key, item in value.items()}
    return _scalar_to_aws(shape, value)


def _structure_to_aws(shape: StructureShape, value: Any, spelling: Spelling) -> dict[str, Any]:
    block = listed(value)
    properties = mapped(block[0] if len(block) == 1 else value)
    request: dict[str, Any] = {}
    for name, item in properties.items():
        if item is None:
            continue
        member = spelling.member(name, shape)
        if member is None:
            raise UnknownPropertyError(name, shape.name)
        request[member] = to_aws(shape.members[member], item, spelling)
    return request


def _scalar_to_aws(shape: Shape, value: Any) -> Any:
    kind = shape.type_name
    if kind in {"integer", "long"} and isinstance(value, (float, str)):
        return int(value)
    if kind in {"double", "float"} and isinstance(value, (int, str)):
        return float(value)
    if kind == "string" and isinstance(value, bool):
        return str(value).lower()
    if kind == "string" and isinstance(value, (int, float)):
        return f"{value:g}" if isinstance(value, float) else str(value)
    if kind == "boolean" and isinstance(value, str):
        return value.lower() == "true"
    return value


def from_aws(shape: Shape, value: Any, spelling: Spelling) -> Any:
    """What AWS answered for `shape` in Pulumi's form: camelCase keys, times as ISO 8601, nothing that is None."""
    if isinstance(shape, StructureShape):
        return _structure_from_aws(shape, value, spelling)
    if isinstance(shape, ListShape):
        return [from_aws(shape.member, item, spelling) for item in value]
    if isinstance(shape, MapShape):
        return {key: from_aws(shape.value, item, spelling) for key, item in value.items()}
    return value.isoformat() if isinstance(value, datetime) else value


def _structure_from_aws(shape: StructureShape, value: Mapping[str, Any], spelling: Spelling) -> Properties:
    properties: Properties = {}
    for member, item in value.items():
        if item is None or member not in shape.members:
            continue
        name = spelling.property_name(member)
        converted = from_aws(shape.members[member], item, spelling)
        properties[name] = [converted] if name in spelling.single else converted
    return properties
