"""Every request of the rehearsal's provider, held against botocore's own service model before it is sent.

botocore itself checks types, required members and unknown names; AWS also refuses a wrong enum value, pattern, length
or range, and moto mostly does not. Here all of it is checked, so that moto's leniency never hides what AWS
would refuse.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StringShape, StructureShape

from rehearsal.provider.lifecycle import AwsRefusedError

# What the service models write (Java's regular expressions, and a few slips) in the words of Python's re.
_JAVA_TO_PYTHON = {
    r"\uD800\uDC00-\uDBFF\uDFFF": r"\U00010000-\U0010FFFF",
    "${1,256}": "$",
    "${1,128}": "$",
    r"[\w-_]": r"[\w\-_]",
    "(?i)": "",
    r"\p{ASCII}*": r"[\x00-\x7f]*",
    r"\p{Print}+": r"[\x20-\x7e]+",
    r"\p{Alnum}": "a-zA-Z0-9",
    r"\p{L}": r"a-zA-Z\u00aa-\uffff",
    r"\p{N}": r"\d",
    r"\p{Zs}": " ",
    r"\p{Z}": r"\s",
    r"\p{S}": r"$+<=>^`|~",
    r"\p{P}": r"!-#%-*,-/:;?@\[-\]_{}",
    r"\p{M}": r"\u0300-\u036f",
    r"\p{C}": r"\x00-\x1f",
}
_NUMBERS = {"integer", "long", "double", "float"}


class InvalidRequestError(AwsRefusedError):
    """AWS would refuse this request; one line per member that is wrong."""

    def __init__(self, service: str, operation: str, problems: list[str]) -> None:
        self.problems = problems
        super().__init__(f"{service}:{operation} would be refused by AWS: {'; '.join(problems)}")


def check_request(operation: OperationModel, params: Mapping[str, Any]) -> None:
    """Raise InvalidRequestError with everything that is wrong with `params` for `operation`."""
    shape = operation.input_shape
    problems = list(violations(shape, params, "")) if shape else [f"{key}: unknown" for key in params]
    if problems:
        raise InvalidRequestError(operation.service_model.service_name, operation.name, problems)


def violations(shape: Shape, value: Any, path: str) -> Iterator[str]:
    """The ways in which `value` breaks `shape`, each as `Path.To[0].Member: reason`."""
    if isinstance(shape, StructureShape):
        yield from _structure(shape, value, path)
    elif isinstance(shape, ListShape):
        yield from _list(shape, value, path)
    elif isinstance(shape, MapShape):
        yield from _map(shape, value, path)
    elif isinstance(shape, StringShape):
        yield from _string(shape, value, path)
    elif shape.type_name in _NUMBERS:
        yield from _number(shape, value, path)
    elif shape.type_name == "boolean" and not isinstance(value, bool):
        yield f"{path}: {value!r} is no boolean"


def _structure(shape: StructureShape, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{path}: {value!r} is no structure"
        return
    given: Mapping[str, Any] = value  # pyright: ignore[reportUnknownVariableType]
    for name in shape.required_members:
        if given.get(name) is None:
            yield f"{_join(path, name)}: required"
    if shape.is_tagged_union and len(given) != 1:
        yield f"{path}: exactly one of {', '.join(shape.members)}"
    for name, item in given.items():
        if name not in shape.members:
            yield f"{_join(path, name)}: unknown, known are {', '.join(sorted(shape.members))}"
        elif item is not None:
            yield from violations(shape.members[name], item, _join(path, name))


def _list(shape: ListShape, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, (list, tuple)):
        yield f"{path}: {value!r} is no list"
        return
    items: list[Any] = list(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    yield from _within(shape, len(items), f"{path}: {len(items)} items")
    for index, item in enumerate(items):
        yield from violations(shape.member, item, f"{path}[{index}]")


def _map(shape: MapShape, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{path}: {value!r} is no map"
        return
    entries: Mapping[str, Any] = value  # pyright: ignore[reportUnknownVariableType]
    yield from _within(shape, len(entries), f"{path}: {len(entries)} entries")
    for key, item in entries.items():
        yield from violations(shape.key, key, f"{path} key {key!r}")
        yield from violations(shape.value, item, f"{path}[{key!r}]")


def _string(shape: StringShape, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"{path}: {value!r} is no string"
        return
    if shape.enum and value not in shape.enum:
        known = shape.enum if len(shape.enum) <= 20 else [*shape.enum[:20], "…"]
        yield f"{path}: {value!r} is none of {', '.join(known)}"
    yield from _within(shape, len(value), f"{path}: {len(value)} characters")
    pattern = _compiled(str(shape.metadata.get("pattern", "")))
    if pattern is not None and not pattern.fullmatch(value):
        yield f"{path}: {value!r} does not match {shape.metadata['pattern']}"


def _number(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        yield f"{path}: {value!r} is no number"
    elif shape.type_name in {"integer", "long"} and not isinstance(value, int):
        yield f"{path}: {value!r} is no whole number"
    else:
        yield from _within(shape, value, f"{path}: {value}")


def _within(shape: Shape, size: float, what: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        yield f"{what}, at least {low} needed"
    if high is not None and size > high:
        yield f"{what}, at most {high} allowed"


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """The pattern in Python's words, or None when there is none or it cannot be said in them."""
    if not pattern:
        return None
    for java, python in _JAVA_TO_PYTHON.items():
        pattern = pattern.replace(java, python)
    try:
        return re.compile(pattern, re.DOTALL)
    except re.error:
        return None


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
