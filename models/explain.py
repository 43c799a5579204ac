"""Turns pydantic's findings into lines a person can act on: which file, which key, what is wrong, what was found."""

from pydantic import ValidationError


def explain(origin: str, error: ValidationError) -> str:
    """One line per finding: `<origin>: <key.path>: <what is wrong> (found <value>)`."""
    return "\n".join(
        f"{origin}: {_key(finding['loc'])}: {_reason(finding['type'], finding['msg'])}{_found(finding)}"
        for finding in error.errors(include_url=False)
    )


def _key(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "(the whole document)"


def _reason(kind: str, message: str) -> str:
    if kind == "extra_forbidden":
        return "unknown key; remove it or correct its spelling"
    if kind == "missing":
        return "missing; this key is required"
    return message.removeprefix("Value error, ")


def _found(finding: object) -> str:
    """The offending value, left out where pydantic would repeat the whole document."""
    value = finding.get("input") if isinstance(finding, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return f" (found {value!r})" if isinstance(value, str | int | float | bool) else ""
