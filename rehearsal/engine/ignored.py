"""`ignore_changes`: properties that keep the value that they had, by paths as Pulumi writes them."""

import re
from typing import Any, cast

from rehearsal.provider.handler import Properties

_PART = re.compile(r"([^.\[\]]+)|\[(\d+)\]|\[\"([^\"]+)\"\]")


def ignoring(inputs: Properties, old_inputs: Properties | None, paths: tuple[str, ...]) -> Properties:
    """`inputs` with the values at `paths` (such as `tags.owner` and `variants[0].count`) as they were before.

    A path that is in neither, or that leads through a list that has become shorter, changes nothing.
    """
    kept: Any = inputs
    for path in paths if old_inputs is not None else ():
        kept = _keeping(kept, old_inputs, parse_path(path))
    return kept


def parse_path(path: str) -> tuple[str | int, ...]:
    """`variants[0].count` as ("variants", 0, "count")."""
    return tuple(int(index) if index else name or quoted for name, index, quoted in _PART.findall(path))


def _keeping(now: Any, before: Any, parts: tuple[str | int, ...]) -> Any:
    if not parts:
        return before
    part, rest = parts[0], parts[1:]
    if isinstance(part, int):
        return _keeping_entry(now, before, part, rest)
    if not isinstance(now, dict) or not isinstance(before, dict):
        return cast("Any", now)
    kept, had = dict(cast("Properties", now)), cast("Properties", before)
    if part in had:
        if part in kept or not rest:
            kept[part] = _keeping(kept.get(part), had[part], rest)
    elif not rest:
        kept.pop(part, None)
    return kept


def _keeping_entry(now: Any, before: Any, index: int, rest: tuple[str | int, ...]) -> Any:
    if not isinstance(now, list) or not isinstance(before, list):
        return cast("Any", now)
    kept, had = list(cast("list[Any]", now)), cast("list[Any]", before)
    if index < min(len(kept), len(had)):
        kept[index] = _keeping(kept[index], had[index], rest)
    return kept
