"""What one policy says of one request: a pure function of the policy and what is known of the request.

The one evaluator of the rehearsal, for identity, resource, trust and key policies and for permissions boundaries. After
"Policy evaluation logic" and "IAM JSON policy elements: Condition operators" of the IAM user guide.
"""

import functools
import ipaddress
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, cast

Decision = Literal["allow", "deny", "delegate", "neither"]
"""`delegate`: a resource's policy allows the account as such, so that the account's own policies decide."""
Value = str | tuple[str, ...] | None
UNKNOWABLE: Final = frozenset(
    {"aws:sourcevpc", "aws:sourcevpce", "aws:vpcsourceip", "aws:sourceorgid", "aws:principalorgid"}
)
"""Condition keys of what the rehearsal does not have: a statement that asks for one of them does not apply."""

_NUMBERS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "NotEquals": operator.ne,
    "LessThan": operator.lt,
    "LessThanEquals": operator.le,
    "GreaterThan": operator.gt,
    "GreaterThanEquals": operator.ge,
}
_STRENGTH: tuple[Decision, ...] = ("deny", "allow", "delegate", "neither")
_VARIABLE = re.compile(r"\$\{([^}]+)\}")
_LITERAL = {"*": "*", "?": "?", "$": "$"}


@dataclass(frozen=True, kw_only=True)
class Request:
    """Who asks for what.

    `context` holds condition keys in lower case; one that is absent or None is one that the request does not carry.
    `principals` are the ARNs that the caller is known by; `service` or `federated` in their place for a service or for
    an identity provider.
    """

    action: str
    resource: str
    account_id: str
    principals: tuple[str, ...]
    context: Mapping[str, Value]
    service: str | None = None
    federated: str | None = None


def decide(policy: Mapping[str, Any], request: Request) -> Decision:
    """An explicit deny beats an allow, and an allow of the caller beats one of its account."""
    found: set[Decision] = set()
    for statement in listed(policy["Statement"]):
        if not _applies(statement, request):
            continue
        known = _principal(statement, request)
        if known == "neither":
            continue
        found.add("deny" if statement["Effect"] == "Deny" else known)
    return sorted(found, key=_STRENGTH.index)[0] if found else "neither"


def condition_keys(policy: Mapping[str, Any]) -> set[str]:
    """Every condition key that the policy asks for, in lower case."""
    return {
        key.lower()
        for statement in listed(policy["Statement"])
        for keys in cast("dict[str, Any]", statement.get("Condition") or {}).values()
        for key in keys
    }


def matches(pattern: str, value: str) -> bool:
    """Whether `value` is what `pattern` with `*` and `?` says, upper and lower case told apart."""
    return _expression(pattern, ignore_case=False).fullmatch(value) is not None


def listed(value: Any) -> list[Any]:
    """A policy's element that is one value or a list of them."""
    return cast("list[Any]", value) if isinstance(value, list) else [value]


def _applies(statement: Mapping[str, Any], request: Request) -> bool:
    return (
        _names_action(statement, request.action)
        and _names_resource(statement, request)
        and all(
            _condition(name, key, listed(wanted), request)
            for name, keys in cast("dict[str, Any]", statement.get("Condition") or {}).items()
            for key, wanted in keys.items()
        )
    )


def _names_action(statement: Mapping[str, Any], action: str) -> bool:
    patterns = listed(statement.get("NotAction", statement.get("Action", "*")))
    found = any(_expression(pattern, ignore_case=True).fullmatch(action) for pattern in patterns)
    return found != ("NotAction" in statement)


def _names_resource(statement: Mapping[str, Any], request: Request) -> bool:
    patterns = listed(statement.get("NotResource", statement.get("Resource", "*")))
    found = any(_like(pattern, request.resource, request) for pattern in patterns)
    return found != ("NotResource" in statement)


def _principal(statement: Mapping[str, Any], request: Request) -> Literal["allow", "delegate", "neither"]:
    if "NotPrincipal" in statement:
        return "allow" if _known_as(statement["NotPrincipal"], request) == "neither" else "neither"
    return _known_as(statement["Principal"], request) if "Principal" in statement else "allow"


def _known_as(principal: Any, request: Request) -> Literal["allow", "delegate", "neither"]:
    if principal == "*":
        return "allow"
    if request.service is not None:
        return "allow" if request.service in listed(principal.get("Service", [])) else "neither"
    if request.federated is not None:
        return "allow" if request.federated in listed(principal.get("Federated", [])) else "neither"
    entries = set(listed(principal.get("AWS", [])))
    if entries & {"*", *request.principals}:
        return "allow"
    account = {request.account_id, f"arn:aws:iam::{request.account_id}:root"}
    return "delegate" if entries & account else "neither"


def _condition(name: str, key: str, wanted: Sequence[Any], request: Request) -> bool:
    folded = key.lower()
    if folded in UNKNOWABLE:
        return False
    quantifier, _, rest = name.rpartition(":")
    plain = rest.removesuffix("IfExists")
    actual = request.context.get(folded)
    if plain == "Null":
        return any(str(entry).lower() == str(actual is None).lower() for entry in wanted)
    if actual is None:
        return rest.endswith("IfExists") or quantifier == "ForAllValues" or (not quantifier and "Not" in plain)
    values = (actual,) if isinstance(actual, str) else actual
    texts = [str(entry).lower() if isinstance(entry, bool) else str(entry) for entry in wanted]
    held = (_holds(plain, value, texts, request) for value in values)
    if quantifier == "ForAllValues" or (not quantifier and "Not" in plain):
        return all(held)
    return any(held)


def _holds(name: str, actual: str, wanted: Sequence[str], request: Request) -> bool:
    for kind, read in (("Numeric", float), ("Date", _moment)):
        if name.startswith(kind):
            test = _NUMBERS[name.removeprefix(kind)]
            return _any(lambda entry, test=test, read=read: test(read(actual), read(entry)), wanted)
    positive = name.replace("Not", "", 1)
    if positive == "StringEquals":
        found = actual in [_filled(entry, request) for entry in wanted]
    elif positive in ("StringEqualsIgnoreCase", "Bool"):
        found = actual.lower() in [entry.lower() for entry in wanted]
    elif positive in ("StringLike", "ArnLike", "ArnEquals"):
        found = any(_like(entry, actual, request) for entry in wanted)
    elif positive == "IpAddress":
        found = _any(lambda entry: ipaddress.ip_address(actual) in ipaddress.ip_network(entry, strict=False), wanted)
    else:
        return False
    return found != (name != positive)


def _any(test: Callable[[str], bool], wanted: Iterable[str]) -> bool:
    try:
        return any(test(entry) for entry in wanted)
    except (ValueError, TypeError):  # a value of another kind is no match
        return False


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _like(pattern: str, value: str, request: Request) -> bool:
    filled = _filled(pattern, request) if "${" in pattern else pattern
    return filled is not None and matches(filled, value)


def _filled(text: str, request: Request) -> str | None:
    """The text with its policy variables; None where the request has no such value, so that nothing matches."""
    absent: list[str] = []

    def value(found: re.Match[str]) -> str:
        name, _, default = found[1].partition(",")
        if name in _LITERAL:
            return _LITERAL[name]
        actual = request.context.get(name.strip().lower())
        if isinstance(actual, str):
            return actual
        if not default:
            absent.append(name)
        return default.strip().strip("'")

    filled = _VARIABLE.sub(value, text)
    return None if absent else filled


@functools.lru_cache(maxsize=8192)
def _expression(pattern: str, *, ignore_case: bool) -> re.Pattern[str]:
    text = "".join(".*" if part == "*" else "." if part == "?" else re.escape(part) for part in pattern)
    return re.compile(text, re.DOTALL | (re.IGNORECASE if ignore_case else 0))
