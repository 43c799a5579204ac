"""IAM policy documents as AWS reads them: one or many, case-insensitive actions, wildcards, conditions.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

ANYONE = "*"
# Keys whose value ties a statement to an account, organisation, resource or network of one's own.
# What "public" means: https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
_NARROWING = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceorgid",
        "aws:sourceowner",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "kms:calleraccount",
        "lambda:functionurlauthtype",
    }
)


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement, each part as a tuple; actions and condition keys in lower case."""

    sid: str
    effect: str
    actions: tuple[str, ...]
    written: tuple[str, ...]
    """The actions as they are spelled, for people."""
    not_actions: tuple[str, ...]
    resources: tuple[str, ...]
    not_resources: tuple[str, ...]
    principals: tuple[str, ...]
    """Each as `AWS:arn…` or `Service:glue.amazonaws.com`; `*` for anyone."""
    not_principals: tuple[str, ...]
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...]
    """Operator, key and sorted values."""

    @property
    def allows(self) -> bool:
        """Whether it allows, rather than denies."""
        return self.effect == "Allow"

    @property
    def public(self) -> bool:
        """Whether it allows anyone, with no condition that ties it to an account, organisation or network."""
        narrowed = any(key in _NARROWING and ANYONE not in values for _, key, values in self.conditions)
        return self.allows and (ANYONE in self.principals or bool(self.not_principals)) and not narrowed

    def conditioned(self, operator: str, key: str, value: str) -> bool:
        """Whether the condition is among its own."""
        return any(
            each == (operator.lower(), key.lower()) and value.lower() in [text.lower() for text in values]
            for *pair, values in self.conditions
            for each in [tuple(pair)]
        )


def parse_statements(document: object) -> tuple[Statement, ...]:
    """The statements of a document, given as JSON text or as what it holds.

    ValueError for what is no policy document.
    """
    body: Any = json.loads(document) if isinstance(document, str) else document
    if not isinstance(body, Mapping):
        raise ValueError("a policy document is an object with a Statement")
    statements: Any = cast(Mapping[str, Any], body).get("Statement", [])
    listed: list[Any] = cast(list[Any], statements) if isinstance(statements, list) else [statements]
    if not all(isinstance(each, Mapping) for each in listed):
        raise ValueError("each Statement of a policy document is an object")
    return tuple(_statement(each) for each in listed)


def covers(pattern: str, text: str) -> bool:
    """Whether everything that `text` (itself possibly with wildcards) names is named by `pattern`."""
    if pattern in (ANYONE, text):
        return True
    # A wildcard of `text` is matched only by a wildcard of `pattern`: as a character of its own, `?` matches none.
    return bool(_compiled(pattern).fullmatch(text)) and not ("*" in text and "?" in pattern)


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(each, re.escape(each)) for each in pattern), re.DOTALL)


def _statement(body: Mapping[str, Any]) -> Statement:
    return Statement(
        sid=str(body.get("Sid", "")),
        effect=str(body.get("Effect", "")),
        actions=tuple(each.lower() for each in _texts(body.get("Action"))),
        written=_texts(body.get("Action")),
        not_actions=tuple(each.lower() for each in _texts(body.get("NotAction"))),
        resources=_texts(body.get("Resource")),
        not_resources=_texts(body.get("NotResource")),
        principals=_principals(body.get("Principal")),
        not_principals=_principals(body.get("NotPrincipal")),
        conditions=_conditions(body.get("Condition") or {}),
    )


def _texts(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, bool):
        return ("true" if value else "false",)
    if isinstance(value, str | int | float):
        return (str(value),)
    return tuple(text for each in value for text in _texts(each))


def _principals(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, Mapping):
        return tuple(ANYONE if each == ANYONE else f"AWS:{each}" for each in _texts(value))
    named = [(str(kind), each) for kind, who in cast(Mapping[str, Any], value).items() for each in _texts(who)]
    return tuple(ANYONE if kind == "AWS" and who == ANYONE else f"{kind}:{who}" for kind, who in named)


def _conditions(value: Mapping[str, Mapping[str, Any]]) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    return tuple(
        sorted(
            (operator.lower(), key.lower(), tuple(sorted(_texts(values))))
            for operator, keys in value.items()
            for key, values in keys.items()
        )
    )
