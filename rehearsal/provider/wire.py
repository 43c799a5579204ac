"""Pulumi's wire form (protobuf Struct with signed objects) to plain JSON values, and back.

The signatures and the unknown values are those of `sdk/go/common/resource/properties.go` of pulumi/pulumi. Secrets and
output values are unwrapped: whoever sends them marks the answers again. An asset keeps its signature, with the sha256
of its content beside it, so that a changed file is a changed property.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from google.protobuf import struct_pb2

from rehearsal.provider.handler import Properties

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"
OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e"
ASSET = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
UNKNOWNS = frozenset(
    {
        UNKNOWN,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)


class AssetError(Exception):
    """An asset of the program cannot be read."""


def from_struct(message: struct_pb2.Struct) -> Properties:
    """The properties in `message`, secrets unwrapped, null entries left out, whole numbers as int."""
    plain = {key: _from_value(value) for key, value in message.fields.items()}
    return {key: value for key, value in plain.items() if value is not None}


def _from_value(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return UNKNOWN if value.string_value in UNKNOWNS else value.string_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "bool_value":
        return value.bool_value
    if kind == "list_value":
        return [_from_value(item) for item in value.list_value.values]
    if kind == "struct_value":
        return _from_object(value.struct_value)
    return None


def _from_object(message: struct_pb2.Struct) -> Any:
    signature = message.fields[SIGNATURE].string_value if SIGNATURE in message.fields else ""
    if signature == SECRET:
        return _from_value(message.fields["value"])
    if signature == OUTPUT:
        return _from_value(message.fields["value"]) if "value" in message.fields else UNKNOWN
    if signature == RESOURCE:
        return _from_value(message.fields["id"]) if "id" in message.fields else message.fields["urn"].string_value
    return from_struct(message)


def secret_keys(message: struct_pb2.Struct) -> tuple[str, ...]:
    """The top-level properties of `message` that are, or anywhere hold, a secret."""
    return tuple(sorted(key for key, value in message.fields.items() if _is_secret(value)))


def _is_secret(value: struct_pb2.Value) -> bool:
    kind = value.WhichOneof("kind")
    if kind == "list_value":
        return any(_is_secret(item) for item in value.list_value.values)
    if kind != "struct_value":
        return False
    fields = value.struct_value.fields
    signature = fields[SIGNATURE].string_value if SIGNATURE in fields else ""
    if signature == SECRET or (signature == OUTPUT and "secret" in fields and fields["secret"].bool_value):
        return True
    return any(_is_secret(field) for field in fields.values())


def to_struct(properties: Mapping[str, Any]) -> struct_pb2.Struct:
    """`properties` as a protobuf Struct; entries that are None are left out."""
    message = struct_pb2.Struct()
    for key, value in properties.items():
        if value is not None:
            _set_value(message.fields[key], value)
    return message


def _set_value(message: struct_pb2.Value, value: Any) -> None:
    if value is None:
        message.null_value = struct_pb2.NULL_VALUE
    elif isinstance(value, bool):
        message.bool_value = value
    elif isinstance(value, int | float):
        message.number_value = value
    elif isinstance(value, str):
        message.string_value = value
    elif isinstance(value, Mapping):
        entries = cast("Mapping[str, Any]", value)
        message.struct_value.SetInParent()
        for key, entry in entries.items():
            if entry is not None:
                _set_value(message.struct_value.fields[key], entry)
    else:
        items: list[Any] = list(value)
        message.list_value.SetInParent()
        for item in items:
            _set_value(message.list_value.values.add(), item)


def is_unknown(value: Any) -> bool:
    """Whether `value` is, or anywhere holds, a value that is known only after something is made."""
    if isinstance(value, str):
        return value == UNKNOWN
    if isinstance(value, Mapping):
        entries = cast("Mapping[str, Any]", value)
        return any(is_unknown(entry) for entry in entries.values())
    if isinstance(value, list):
        items = cast("list[Any]", value)
        return any(is_unknown(item) for item in items)
    return False


def comparable(value: Any) -> Any:
    """`value` with each asset reduced to its content: the same file elsewhere is the same asset."""
    if isinstance(value, list):
        items = cast("list[Any]", value)
        return [comparable(item) for item in items]
    if not isinstance(value, dict):
        return value
    entries = cast("dict[str, Any]", value)
    if entries.get(SIGNATURE) in (ASSET, ARCHIVE) and entries.get("hash"):
        return {SIGNATURE: entries[SIGNATURE], "hash": entries["hash"]}
    return {key: comparable(entry) for key, entry in entries.items()}


def with_asset_hashes(properties: Properties, folder: Path) -> Properties:
    """`properties` with the path of every asset made absolute (it is relative to `folder`) and its sha256 added.

    Raises AssetError for a file that cannot be read and for a kind of asset that needs a network.
    """
    return {key: _hash_assets(value, folder) for key, value in properties.items()}


def _hash_assets(value: Any, folder: Path) -> Any:
    if isinstance(value, list):
        items = cast("list[Any]", value)
        return [_hash_assets(item, folder) for item in items]
    if not isinstance(value, dict):
        return value
    entries = cast("dict[str, Any]", value)
    if entries.get(SIGNATURE) not in (ASSET, ARCHIVE):
        return {key: _hash_assets(entry, folder) for key, entry in entries.items()}
    located = dict(entries)
    if located.get("path"):
        located["path"] = str((folder / str(located["path"])).resolve())
    located["hash"] = hashlib.sha256(asset_bytes(located)).hexdigest()
    return located


def asset_bytes(asset: Mapping[str, Any]) -> bytes:
    """The content of a file or text asset, or of an archive that is one file; raises AssetError."""
    if asset.get("assets"):
        raise AssetError("an archive put together from assets; the rehearsal takes a FileArchive of one file")
    if asset.get("path"):
        try:
            return Path(str(asset["path"])).read_bytes()
        except OSError as error:
            raise AssetError(f"asset {asset['path']}: {error.strerror}") from error
    if asset.get("uri"):
        raise AssetError(f"asset {asset['uri']}: the rehearsal fetches nothing; use a FileAsset or a StringAsset")
    return str(asset.get("text", "")).encode()
