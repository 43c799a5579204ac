"""Whether one policy document allows more than another: what IAM would decide, not how the text differs.

A grant is one action on one resource for one principal. Every grant of the new document must be covered by a statement
of the old that has no condition beyond those of the new; every denial of the old must be covered by one of the new.
Two statements that together cover what one of the old does not are told as widening: rather once too often.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

import fnmatch
from collections.abc import Iterable, Iterator, Sequence
from itertools import product

from infra.policies.documents import Statement, covers

Condition = tuple[str, str, tuple[str, ...]]
_ANY_RESOURCE = ("*",)
_NOBODY = ("",)
"""In a policy of a role: no principal is named, as it is the role's own."""


def widened(old: Sequence[Statement], new: Sequence[Statement]) -> list[str]:
    """What the new document allows that the old did not, in words; none when it allows no more."""
    granted = [each for each in old if each.allows]
    told = [said for each in new if each.allows for said in _beyond(each, granted)]
    denied = [each for each in new if not each.allows]
    lifted = [said for each in old if not each.allows for said in _not_denied(each, denied)]
    return list(dict.fromkeys([*told, *lifted]))


def _beyond(statement: Statement, granted: Sequence[Statement]) -> Iterator[str]:
    if any(_same(statement, each) for each in granted):
        return
    name = f"{statement.sid}: " if statement.sid else ""
    if statement.not_actions or statement.not_resources or statement.not_principals:
        yield f"{name}allows all but what it names"
        return
    for action, resource, principal in _grants(statement):
        holding = [each for each in granted if _grants_all(each, action, resource, principal)]
        if not holding:
            yield f"{name}{_words(_written(statement, action), resource, principal)}"
        elif not any(_narrower(statement.conditions, each.conditions) for each in holding):
            fewer = sorted({key for _, key, _ in _dropped(statement, holding)})
            said = f"{_written(statement, action)} on {resource} under other conditions"
            yield f"{name}{said} ({', '.join(fewer)})"


def _not_denied(statement: Statement, denied: Sequence[Statement]) -> Iterator[str]:
    if any(_same(statement, each) for each in denied):
        return
    name = f"{statement.sid}: " if statement.sid else ""
    if statement.not_actions or statement.not_resources or statement.not_principals:
        yield f"{name}no longer denies all but what it named"
        return
    for action, resource, principal in _grants(statement):
        holding = [each for each in denied if _grants_all(each, action, resource, principal)]
        if not any(_narrower(statement.conditions, each.conditions) for each in holding):
            yield f"{name}no longer denies {_written(statement, action)} on {resource}"


def _grants(statement: Statement) -> Iterable[tuple[str, str, str]]:
    return product(statement.actions, statement.resources or _ANY_RESOURCE, statement.principals or _NOBODY)


def _grants_all(statement: Statement, action: str, resource: str, principal: str) -> bool:
    if statement.not_actions or statement.not_resources or statement.not_principals:
        return False
    return (
        any(covers(each, action) for each in statement.actions)
        and any(covers(each, resource) for each in statement.resources or _ANY_RESOURCE)
        and any(_covers_principal(each, principal) for each in statement.principals or _NOBODY)
    )


def _covers_principal(old: str, new: str) -> bool:
    if old in ("*", new):
        return True
    kind, _, who = old.partition(":")
    # An account's root stands for all of the account: `AWS:arn:aws:iam::1:root` or `AWS:1`.
    account = who.split(":")[4] if who.endswith(":root") else who if who.isdigit() else None
    return kind == "AWS" and account is not None and new.startswith("AWS:arn:") and new.split(":")[5] == account


def _same(one: Statement, other: Statement) -> bool:
    return _without_sid(one) == _without_sid(other)


def _without_sid(statement: Statement) -> tuple[object, ...]:
    return (
        statement.effect,
        frozenset(statement.actions),
        frozenset(statement.not_actions),
        frozenset(statement.resources),
        frozenset(statement.not_resources),
        frozenset(statement.principals),
        frozenset(statement.not_principals),
        statement.conditions,
    )


def _narrower(conditions: Sequence[Condition], than: Sequence[Condition]) -> bool:
    """Whether what fulfils `conditions` fulfils `than` as well: each of these is there, with no more values."""
    return all(any(_implies(each, condition) for each in conditions) for condition in than)


def _implies(one: Condition, other: Condition) -> bool:
    operator, key, values = one
    other_operator, other_key, other_values = other
    if (operator, key) != (other_operator, other_key):
        # Equal to a value is also like it.
        exact = (operator.replace("equals", "like"), key) == (other_operator, other_key) and "not" not in operator
        return exact and all(_like(value, other_values) for value in values)
    if "not" in operator:
        return set(other_values) <= set(values)
    if "like" in operator:
        return all(_like(value, other_values) for value in values)
    return set(values) <= set(other_values) and bool(values)


def _like(value: str, patterns: Sequence[str]) -> bool:
    return any(value == each or fnmatch.fnmatchcase(value, each.replace("[", "[[]")) for each in patterns)


def _dropped(statement: Statement, holding: Sequence[Statement]) -> list[Condition]:
    return [each for old in holding for each in old.conditions if not _narrower(statement.conditions, [each])]


def _written(statement: Statement, action: str) -> str:
    return statement.written[statement.actions.index(action)]


def _words(action: str, resource: str, principal: str) -> str:
    on = "" if resource == "*" and principal else f" on {resource}"
    return f"{action}{on}{f' for {principal}' if principal else ''}"
