"""Whether a call is allowed: identity policies, permissions boundary, session policy and the resource's own policy.

After "Policy evaluation logic" of the IAM user guide. Within an account an allow of either side will do, with two
exceptions: a KMS key is used, and a role assumed, only by whom its own policy lets.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rehearsal.aws import policies
from rehearsal.aws.authorization.principals import Document, Principal
from rehearsal.aws.policies import Value

_LIMITS: Final = ("a permissions boundary", "a session policy")


@dataclass(frozen=True, kw_only=True)
class Question:
    """May this principal do this with that?

    `owner_id` is the account that the resource belongs to. With `resource_rules` nobody is allowed whom the resource's
    policy does not let.
    """

    principal: Principal
    action: str
    resource: str
    context: Mapping[str, Value]
    owner_id: str
    resource_policy: Document | None = None
    resource_rules: bool = False


class AccessDeniedError(Exception):
    """A call that is refused; the text is AWS's own."""

    def __init__(self, question: Question, because: str) -> None:
        super().__init__(
            f"User: {question.principal.arn} is not authorized to perform: {question.action} "
            f"on resource: {question.resource} {because}"
        )


def check(question: Question) -> None:
    """Raise AccessDeniedError unless the policies allow it."""
    refusal = _refusal(question)
    if refusal is not None:
        raise AccessDeniedError(question, refusal)


def _refusal(question: Question) -> str | None:
    """AWS's words for why not, or None.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
    """
    who = question.principal
    said: list[tuple[str, policies.Decision]] = [
        *(("an identity-based policy", policies.decide(each, _request(question))) for each in who.policies),
        *(("a permissions boundary", found) for found in _of(who.boundary, question)),
        *(("a session policy", found) for found in _of(who.session, question)),
        *(("a resource-based policy", found) for found in _of(question.resource_policy, question)),
    ]
    denying = next((kind for kind, found in said if found == "deny"), None)
    return f"with an explicit deny in {denying}" if denying else _not_allowed(question, said)


def _not_allowed(question: Question, said: Sequence[tuple[str, policies.Decision]]) -> str | None:
    """What is missing where nothing denies."""
    identity = any(kind == "an identity-based policy" and found == "allow" for kind, found in said)
    resource = next((found for kind, found in said if kind == "a resource-based policy"), "neither")
    limit = next((kind for kind, found in said if kind in _LIMITS and found != "allow"), None)
    at_home = question.principal.account_id == question.owner_id
    directly = resource == "allow" and at_home and (limit is None or not question.resource_rules)
    missing = "identity-based policy"
    if resource == "neither" and (question.resource_rules or not at_home):
        missing = "resource-based policy"
    elif directly or (identity and limit is None):
        return None
    elif identity and limit is not None:
        missing = limit.removeprefix("a ")
    return f"because no {missing} allows the {question.action} action"


def _of(document: Document | None, question: Question) -> list[policies.Decision]:
    return [] if document is None else [policies.decide(document, _request(question))]


def _request(question: Question) -> policies.Request:
    who = question.principal
    return policies.Request(
        action=question.action,
        resource=question.resource,
        account_id=who.account_id,
        principals=who.names,
        context=question.context,
        service=who.service,
        federated=who.federated,
    )
