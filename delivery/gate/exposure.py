"""Opening something to everyone: what a rule of infra/policies holds against the new and did not against the old."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from delivery.gate.changes import Change, Changes
from delivery.gate.finding import Finding
from delivery.gate.iam import DOCUMENTS
from infra.policies.catalogue import ALL_RULES
from infra.policies.documents import parse_statements
from infra.policies.resources import Properties, Undecided, is_unknown
from infra.policies.rule import ResourceRule

_RULES = frozenset(
    {
        "eks-private",
        "lambda-not-public",
        "lambda-url-authorized",
        "network-default-group-empty",
        "network-no-open-egress",
        "network-no-open-ingress",
        "network-no-public-addresses",
        "network-no-way-out",
        "s3-acl-private",
        "s3-object-plain",
        "sagemaker-domain-in-vpc",
        "sagemaker-notebook-offline",
    }
)
OPENING: tuple[ResourceRule, ...] = tuple(
    rule for rule in ALL_RULES if rule.id in _RULES and isinstance(rule, ResourceRule)
)
# Being there is the opening.
_WAYS = {
    "aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway": "a way out of the network",
    "aws:ec2/eip:Eip": "an address on the internet",
    "aws:ec2/internetGateway:InternetGateway": "a way into and out of the network",
    "aws:ec2/natGateway:NatGateway": "a way out of the network",
    "aws:ecrpublic/repository:Repository": "a repository that everyone can read",
}
# Its principals are who may go through it, not who is let in; what it lets through is under widen-iam.
_NOT_ENTRANCES = frozenset({"aws:ec2/vpcEndpoint:VpcEndpoint"})


def opened_to_public(changes: Changes) -> Iterator[Finding]:
    """Every opening, of what is new as well: a first deployment opens nothing unasked either."""
    for change in changes.all:
        if not (change.created or change.touched) or change.deleted:
            continue
        if change.created and change.step.type in _WAYS:
            yield change.found("open-to-public", f"is {_WAYS[change.step.type]}")
        for rule in OPENING:
            said = _verdict(rule, change.new)
            if said and (change.created or not _verdict(rule, change.old)):
                yield change.found("open-to-public", said)
        yield from _public_policy(change)


def _verdict(rule: ResourceRule, properties: Properties) -> str | None:
    try:
        return rule.verdict(properties.resource)
    except Undecided:
        return None


def _public_policy(change: Change) -> Iterator[Finding]:
    key = DOCUMENTS.get(change.step.type)
    if key is None or change.step.type in _NOT_ENTRANCES:
        return
    before = _public(change.step.old_inputs.get(key))
    for sid, actions in sorted(_public(change.step.new_inputs.get(key)) - before):
        yield change.found("open-to-public", f"{key}: {sid or 'a statement'} allows everyone {', '.join(actions)}")


def _public(document: Any) -> set[tuple[str, tuple[str, ...]]]:
    if document in (None, "") or is_unknown(document):
        return set()
    with suppress(ValueError):  # AWS refuses what is no policy document by itself
        return {(each.sid, each.written) for each in parse_statements(document) if each.public}
    return set()
