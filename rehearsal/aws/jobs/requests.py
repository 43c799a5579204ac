"""What SageMaker and Glue refuse before a job begins, checked against botocore's own model of the service."""

import functools
import re
from typing import Any, cast

import botocore.session
from botocore.model import ListShape, MapShape, Shape, StructureShape

_CONSTRAINT = "failed to satisfy constraint"


@functools.cache
def _service(service: str) -> Any:
    return cast(Any, botocore.session.get_session()).get_service_model(service)


def problem(service: str, operation: str, request: dict[str, Any]) -> str | None:
    """The first thing that is wrong with a request, in AWS's words, or None.

    Checked: required members, enums, patterns, lengths and ranges, all the way down.
    """
    shape = _service(service).operation_model(operation).input_shape
    return _problem(request, shape, "")


def members(service: str, operation: str) -> frozenset[str]:
    """The names of the operation's parameters."""
    return frozenset(_service(service).operation_model(operation).input_shape.members)


def section(request: dict[str, Any], name: str) -> dict[str, Any]:
    """A structure of the request, empty when it is absent."""
    return request.get(name) or {}


def entries(request: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """A list of structures of the request, empty when it is absent."""
    return request.get(name) or []


def _problem(value: Any, shape: Shape, path: str) -> str | None:
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        content = cast(dict[str, Any], value)
        for name in shape.required_members:
            if content.get(name) is None:
                return (
                    f"1 validation error detected: Value at '{_at(path, name)}' {_CONSTRAINT}: Member must not be null"
                )
        pairs = [(content[name], member, _at(path, name)) for name, member in shape.members.items() if name in content]
        return next((found for pair in pairs if (found := _problem(*pair))), None)
    if isinstance(shape, ListShape) and isinstance(value, list):
        entries = cast(list[Any], value)
        below = ((entry, shape.member, f"{path}.{index + 1}.member") for index, entry in enumerate(entries))
        return _size(len(entries), shape, path) or next((found for pair in below if (found := _problem(*pair))), None)
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return _size(len(cast(dict[str, Any], value)), shape, path)
    return _scalar_problem(value, shape, path)


def _scalar_problem(value: Any, shape: Shape, path: str) -> str | None:
    if isinstance(value, str):
        if enum := cast(list[str], getattr(shape, "enum", [])):
            rule = None if value in enum else f"Member must satisfy enum value set: [{', '.join(sorted(enum))}]"
            return _told(rule, value, path)
        pattern = cast(str | None, shape.metadata.get("pattern"))
        if pattern and not _matches(pattern, value):
            return _told(f"Member must satisfy regular expression pattern: {pattern}", value, path)
        return _size(len(value), shape, path)
    if isinstance(value, int) and not isinstance(value, bool):
        return _size(value, shape, path)
    return None


def _size(size: int, shape: Shape, path: str) -> str | None:
    minimum, maximum = shape.metadata.get("min"), shape.metadata.get("max")
    of = "value" if shape.type_name in ("integer", "long") else "length"
    if minimum is not None and size < int(minimum):
        return _told(f"Member must have {of} greater than or equal to {minimum}", str(size), path)
    if maximum is not None and size > int(maximum):
        return _told(f"Member must have {of} less than or equal to {maximum}", str(size), path)
    return None


def _told(rule: str | None, value: str, path: str) -> str | None:
    return rule and f"1 validation error detected: Value '{value}' at '{path}' {_CONSTRAINT}: {rule}"


def _matches(pattern: str, value: str) -> bool:
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error:  # Java's syntax, which Python does not always read
        return True


def _at(path: str, name: str) -> str:
    name = name[0].lower() + name[1:]
    return f"{path}.{name}" if path else name
