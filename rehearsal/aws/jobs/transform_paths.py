"""The part of JSONPath that `DataProcessing` takes in InputFilter and OutputFilter.

https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html: `$`, `.name`, `*`, `['a','b']`,
`[0,2]` with negative indexes, and `[start:end]`.
"""

import re
from collections.abc import Callable
from typing import Any, cast

_STEP = re.compile(
    r"\.?(?:\[(?P<slice>-?\d*:-?\d*)\]|\[(?P<indexes>-?\d+(?:\s*,\s*-?\d+)*)\]"
    r"|\[(?P<names>'[^']*'(?:\s*,\s*'[^']*')*)\]|\[(?P<all>\*)\])|\.(?P<name>[A-Za-z_]\w*|\*)"
)
Step = Callable[[Any], Any]


class PathError(Exception):
    """A path that cannot be read, or that does not fit the data."""


class Path:
    """A compiled path. Raises PathError for one that `DataProcessing` does not take."""

    def __init__(self, text: str) -> None:
        self._text = text
        if not text.startswith("$"):
            raise PathError(f"{text!r} does not begin with $")
        self._steps: list[Step] = []
        place = 1
        while place < len(text):
            found = _STEP.match(text, place)
            if found is None:
                raise PathError(f"{text!r} cannot be read from {text[place:]!r} on")
            self._steps.append(_step(found))
            place = found.end()

    @property
    def whole(self) -> bool:
        """Whether the path is `$`, which changes nothing."""
        return not self._steps

    def of(self, value: Any) -> Any:
        """What the path selects. Raises PathError where the value has no such part."""
        for step in self._steps:
            try:
                value = step(value)
            except (LookupError, TypeError, ValueError) as error:
                raise PathError(f"{self._text!r} does not fit the record: {error!r}") from error
        return value


def _step(found: re.Match[str]) -> Step:
    if found["slice"] is not None:
        begin, end = (int(part) if part else None for part in found["slice"].split(":"))
        return lambda value: _list(value)[begin:end]
    if found["indexes"] is not None:
        return _picked([int(part) for part in found["indexes"].split(",")])
    if found["names"] is not None:
        return _named([part.strip()[1:-1] for part in found["names"].split(",")])
    name = found["all"] or found["name"]
    return _named([name]) if name != "*" else lambda value: list(value.values()) if _is_map(value) else _list(value)


def _picked(indexes: list[int]) -> Step:
    """One index gives an element, several a list."""
    if len(indexes) == 1:
        return lambda value: _list(value)[indexes[0]]
    return lambda value: [_list(value)[index] for index in indexes]


def _named(names: list[str]) -> Step:
    """One name gives a value, several an object."""
    if len(names) == 1:
        return lambda value: value[names[0]]
    return lambda value: {name: value[name] for name in names}


def _is_map(value: Any) -> bool:
    return isinstance(value, dict)


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"{type(value).__name__} is no list")
    return cast("list[Any]", value)
