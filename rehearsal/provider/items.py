"""Lists and tags inside properties and answers, empty where they are missing."""

from collections.abc import Mapping
from typing import Any, cast


def items(holder: Mapping[str, Any], name: str) -> list[Any]:
    """The list at `name`."""
    return cast("list[Any]", holder.get(name) or [])


def tag_map(entries: list[Any]) -> dict[str, str]:
    """A list of {Key, Value} as a map, without the tags AWS itself sets."""
    return {entry["Key"]: entry["Value"] for entry in entries if not entry["Key"].startswith("aws:")}


def tag_outputs(held: Mapping[str, str], state: Mapping[str, Any]) -> dict[str, Any]:
    """`tagsAll` as held, and `tags`: those of them that the program gave the resource itself."""
    own = cast("Mapping[str, str]", state.get("tags") or {})
    return {"tagsAll": dict(held), "tags": {key: held[key] for key in own if key in held}}
