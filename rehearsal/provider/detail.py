"""Where exactly two sets of inputs differ, as the real engine shows it: a path and a kind for each difference."""

from collections.abc import Iterator
from typing import Any, Literal, cast

from rehearsal.provider.handler import Properties
from rehearsal.provider.lifecycle import Difference
from rehearsal.provider.wire import SIGNATURE, comparable, is_unknown

Kind = Literal["ADD", "ADD_REPLACE", "DELETE", "DELETE_REPLACE", "UPDATE", "UPDATE_REPLACE"]


def detailed(difference: Difference, old_inputs: Properties, new_inputs: Properties) -> dict[str, Kind]:
    """The kind of each difference by its path, such as `rules[0].status` or `tags["a.b"]`."""
    found: dict[str, Kind] = {}
    for key in difference.changed:
        for path, kind in _differences(key, comparable(old_inputs.get(key)), comparable(new_inputs.get(key))):
            found[path] = cast("Kind", f"{kind}_REPLACE") if key in difference.replaces else kind
    return found


def _differences(path: str, old: Any, new: Any) -> Iterator[tuple[str, Kind]]:
    if old == new and not is_unknown(new):
        return
    if old is None:
        yield path, "ADD"
    elif new is None:
        yield path, "DELETE"
    elif _is_plain_object(old) and _is_plain_object(new):
        for key in sorted({*old, *new}):
            yield from _differences(f"{path}{_step(key)}", old.get(key), new.get(key))
    elif isinstance(old, list) and isinstance(new, list):
        before, after = cast("list[Any]", old), cast("list[Any]", new)
        for index in range(max(len(before), len(after))):
            yield from _differences(f"{path}[{index}]", _at(before, index), _at(after, index))
    else:
        yield path, "UPDATE"


def _is_plain_object(value: Any) -> bool:
    return isinstance(value, dict) and SIGNATURE not in value


def _at(values: list[Any], index: int) -> Any:
    return values[index] if index < len(values) else None


def _step(key: str) -> str:
    return f".{key}" if key.isidentifier() else f'["{key}"]'
