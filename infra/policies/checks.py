"""The questions that most rules ask, each as a check that says which property is wrong and what would be right."""

from collections.abc import Callable, Sequence
from typing import Any

from infra.policies.documents import Statement
from infra.policies.resources import Properties
from infra.policies.rule import Check

StatementTest = Callable[[Statement], bool]


def is_true(path: str) -> Check:
    """The property is true."""
    right = True
    return one_of(path, right)


def one_of(path: str, *right: Any) -> Check:
    """The property has one of the values."""

    def check(properties: Properties) -> str | None:
        value = properties.at(path)
        if value in right:
            return None
        return f"{path} is {_shown(value)}; right is {' or '.join(_shown(each) for each in right)}"

    return check


def not_one_of(path: str, *wrong: Any) -> Check:
    """The property, if it is there at all, has none of the values."""

    def check(properties: Properties) -> str | None:
        value = properties.at(path)
        return f"{path} is {_shown(value)}" if value is not None and value in wrong else None

    return check


def present(path: str) -> Check:
    """The property is there and not empty."""

    def check(properties: Properties) -> str | None:
        value = properties.at(path)
        return None if value or value == 0 else f"{path} is not set"

    return check


def at_least(path: str, least: float) -> Check:
    """The number is there and not lower."""

    def check(properties: Properties) -> str | None:
        value = properties.at(path)
        if isinstance(value, int | float | str) and float(value) >= least:
            return None
        return f"{path} is {_shown(value)}; right is {least} or more"

    return check


def at_most(path: str, most: float) -> Check:
    """The number is there and not higher."""

    def check(properties: Properties) -> str | None:
        value = properties.at(path)
        if isinstance(value, int | float | str) and float(value) <= most:
            return None
        return f"{path} is {_shown(value)}; right is {most} or less"

    return check


def each_item(path: str, check: Callable[[Any], str | None]) -> Check:
    """Every item of the list passes; the first that does not is told."""

    def check_all(properties: Properties) -> str | None:
        for index, item in enumerate(properties.items(path)):
            if said := check(item):
                return f"{path}.{index}: {said}"
        return None

    return check_all


def all_of(*checks: Check) -> Check:
    """Every check passes; the first that does not is told."""

    def check(properties: Properties) -> str | None:
        return next((said for each in checks if (said := each(properties))), None)

    return check


def when(condition: Callable[[Properties], bool], check: Check) -> Check:
    """The check, for the resources that the condition is true of."""
    return lambda properties: check(properties) if condition(properties) else None


def no_statement(paths: Sequence[str], wrong: StatementTest, said: str) -> Check:
    """No statement of the documents at `paths` is as `wrong` says."""

    def check(properties: Properties) -> str | None:
        for path in paths:
            for statement in properties.statements(path):
                if wrong(statement):
                    return f"{path}: statement {statement.sid or 'without a Sid'} {said}"
        return None

    return check


def some_statement(path: str, right: StatementTest, said: str) -> Check:
    """At least one statement of the document is as `right` says."""

    def check(properties: Properties) -> str | None:
        return None if any(right(each) for each in properties.statements(path)) else f"{path}: {said}"

    return check


def denies_plain_text(statement: Statement) -> bool:
    """Whether the statement denies everyone what does not come over TLS."""
    denied = not statement.allows and "*" in statement.principals
    return denied and statement.conditioned("Bool", "aws:SecureTransport", "false")


def _shown(value: Any) -> str:
    if value is None:
        return "not set"
    return str(value).lower() if isinstance(value, bool) else repr(value)
