"""Whether a resource policy denies or allows one request: a pure function of the policy and what is known of it.

After "Policy evaluation logic" and "IAM JSON policy elements: Condition operators" of the IAM user guide.
"""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

Decision = Literal["allow", "deny", "neither"]
_NEGATED = re.compile(r"Not")
_NUMBERS: dict[str, Callable[[float, float], bool]] = {
    "NumericEquals": operator.eq,
    "NumericNotEquals": operator.ne,
    "NumericLessThan": operator.lt,
    "NumericLessThanEquals": operator.le,
    "NumericGreaterThan": operator.gt,
    "NumericGreaterThanEquals": operator.ge,
}


@dataclass(frozen=True, kw_only=True)
class Request:
    """Who asks for what. `context` holds condition keys in lower case; None says that the request carries none.

    A key that is not in `context` at all is one that nobody here knows: a statement that asks for it does not apply.
    """

    action: str
    resource: str
    account_id: str
    principals: tuple[str, ...]
    context: Mapping[str, str | None]


def decide(policy: Mapping[str, Any], request: Request) -> Decision:
    """An explicit deny beats an allow."""
    effects = {str(statement["Effect"]) for statement in _list(policy["Statement"]) if _applies(statement, request)}
    return "deny" if "Deny" in effects else "allow" if "Allow" in effects else "neither"


def _applies(statement: Mapping[str, Any], request: Request) -> bool:
    return (
        _named(statement, "Action", request.action)
        and _named(statement, "Resource", request.resource)
        and _principal(statement, request)
        and all(
            _condition(name, key, _list(wanted), request)
            for name, keys in cast("dict[str, Any]", statement.get("Condition") or {}).items()
            for key, wanted in keys.items()
        )
    )


def _named(statement: Mapping[str, Any], element: str, value: str) -> bool:
    if f"Not{element}" in statement:
        return not any(_like(pattern, value) for pattern in _list(statement[f"Not{element}"]))
    return any(_like(pattern, value) for pattern in _list(statement.get(element, "*")))


def _principal(statement: Mapping[str, Any], request: Request) -> bool:
    if "NotPrincipal" in statement:
        return not _is_one_of(statement["NotPrincipal"], request)
    return "Principal" not in statement or _is_one_of(statement["Principal"], request)


def _is_one_of(principal: Any, request: Request) -> bool:
    if principal == "*":
        return True
    account = (request.account_id, f"arn:aws:iam::{request.account_id}:root")
    known = {"*", *account, *request.principals}
    return any(entry in known for entry in _list(principal.get("AWS", [])))


def _condition(name: str, key: str, wanted: Sequence[Any], request: Request) -> bool:
    plain = name.rpartition(":")[2].removesuffix("IfExists")
    folded = key.lower()
    if folded not in request.context:
        return False
    actual = request.context[folded]
    if plain == "Null":
        return any(str(entry).lower() == str(actual is None).lower() for entry in wanted)
    if actual is None:
        return name.endswith("IfExists") or name.startswith("ForAllValues:") or bool(_NEGATED.search(plain))
    return _holds(plain, actual, [str(entry) for entry in wanted])


def _holds(name: str, actual: str, wanted: Sequence[str]) -> bool:
    if name in _NUMBERS:
        return any(_NUMBERS[name](float(actual), float(entry)) for entry in wanted)
    positive = _NEGATED.sub("", name)
    if positive in ("StringEquals",):
        found = actual in wanted
    elif positive in ("StringEqualsIgnoreCase", "Bool"):
        found = actual.lower() in [entry.lower() for entry in wanted]
    elif positive in ("StringLike", "ArnLike", "ArnEquals"):
        found = any(_like(entry, actual, ignore_case=False) for entry in wanted)
    else:
        return False
    return found != bool(_NEGATED.search(name))


def _like(pattern: str, value: str, *, ignore_case: bool = True) -> bool:
    expression = "".join(".*" if part == "*" else "." if part == "?" else re.escape(part) for part in pattern)
    return re.fullmatch(expression, value, re.IGNORECASE if ignore_case else 0) is not None


def _list(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else [value]
