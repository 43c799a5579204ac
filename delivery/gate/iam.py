"""Widening IAM: documents that allow more, trust that reaches further, boundaries that go, rights for who is there.

A role that is new to the stack, with its policy, is not stopped where a service of AWS assumes it within a permissions
boundary: that is what adding a model does, and the rules of infra/policies judge what the policy says. Nor is one that
is there without any policy, as a deployment that was cut short leaves it: running it again completes it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from delivery.gate.changes import Change, Changes
from delivery.gate.finding import Finding
from delivery.gate.widening import widened
from infra.policies.documents import Statement, parse_statements
from infra.policies.resources import Undecided, is_unknown

_ROLE = "aws:iam/role:Role"
_SHOWN = 3
DOCUMENTS: dict[str, str] = {
    _ROLE: "assumeRolePolicy",
    "aws:cloudwatch/eventBusPolicy:EventBusPolicy": "policy",
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": "policyDocument",
    "aws:ec2/vpcEndpoint:VpcEndpoint": "policy",
    "aws:ecr/repositoryPolicy:RepositoryPolicy": "policy",
    "aws:glue/resourcePolicy:ResourcePolicy": "policy",
    "aws:iam/policy:Policy": "policy",
    "aws:iam/rolePolicy:RolePolicy": "policy",
    "aws:iam/groupPolicy:GroupPolicy": "policy",
    "aws:iam/userPolicy:UserPolicy": "policy",
    "aws:kms/key:Key": "policy",
    "aws:s3/bucketPolicy:BucketPolicy": "policy",
    "aws:sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy": "resourcePolicy",
    "aws:secretsmanager/secretPolicy:SecretPolicy": "policy",
    "aws:sns/topicPolicy:TopicPolicy": "policy",
    "aws:sqs/queuePolicy:QueuePolicy": "policy",
}
# What gives rights to a role or user by being there, and the property that names who.
_GIVING: dict[str, tuple[str, str]] = {
    "aws:iam/groupPolicy:GroupPolicy": ("group", "policy"),
    "aws:iam/groupPolicyAttachment:GroupPolicyAttachment": ("group", "policyArn"),
    "aws:iam/policyAttachment:PolicyAttachment": ("roles", "policyArn"),
    "aws:iam/rolePolicy:RolePolicy": ("role", "policy"),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": ("role", "policyArn"),
    "aws:iam/userPolicy:UserPolicy": ("user", "policy"),
    "aws:iam/userPolicyAttachment:UserPolicyAttachment": ("user", "policyArn"),
    "aws:kms/grant:Grant": ("granteePrincipal", "operations"),
    "aws:lakeformation/permissions:Permissions": ("principal", "permissions"),
    "aws:lambda/permission:Permission": ("function", "principal"),
}
# Those of them that a role of the stack cannot do its work without.
_OF_ROLES = (
    "aws:iam/policyAttachment:PolicyAttachment",
    "aws:iam/rolePolicy:RolePolicy",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
)
_LISTS: dict[str, tuple[str, ...]] = {
    _ROLE: ("inlinePolicies", "managedPolicyArns"),
    "aws:lakeformation/dataLakeSettings:DataLakeSettings": ("admins",),
    "aws:lakeformation/permissions:Permissions": ("permissions", "permissionsWithGrantOptions"),
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": ("clientIdLists", "thumbprintLists"),
}


def iam_widened(changes: Changes) -> Iterator[Finding]:
    """Every way in which the changes allow more than before; nothing for a stack that is empty yet."""
    if changes.first:
        return
    unfinished = _unfinished(changes)
    yield from (finding for role in unfinished.values() for finding in _new_role(role))
    new_names = _names(each.step.new_inputs for each in changes.all if each.created) | unfinished.keys()
    gone_names = _names(each.step.old_inputs for each in changes.all if each.deleted)
    for change in changes.all:
        if change.created:
            yield from _created(change, changes, new_names)
        elif change.deleted:
            yield from _without_denials(change, gone_names)
        elif change.touched:
            yield from _changed(change, new_names)


def _created(change: Change, changes: Changes, new_names: set[str]) -> Iterator[Finding]:
    type_ = change.step.type
    if type_ == _ROLE:
        yield from _new_role(change)
    elif type_ in _GIVING:
        yield from _new_rights(change, new_names)
    elif type_ in DOCUMENTS:
        foreign = _foreign(change, changes.accounts)
        if foreign:
            yield change.found("widen-iam", f"a new policy allows {foreign}, of another account")


def _new_role(change: Change) -> Iterator[Finding]:
    boundary = change.new.resource.properties.get("permissionsBoundary")
    if not boundary:
        yield change.found("widen-iam", "a new role has no permissions boundary")
    try:
        trusted = [each for one in change.new.statements("assumeRolePolicy") if one.allows for each in one.principals]
    except Undecided:
        yield change.found("widen-iam", "whom a new role trusts is known only once it is made")
        return
    others = [each for each in trusted if not each.startswith("Service:")]
    if others:
        yield change.found("widen-iam", f"a new role trusts {', '.join(others)}, which is no service of AWS")


def _unfinished(changes: Changes) -> dict[str, Change]:
    """The roles that are there without any policy and get one now, by name: a deployment cut short left them so."""
    giving = [each for each in changes.all if each.step.type in _OF_ROLES]
    had = {name for each in giving if not each.created for name in _whom(each, each.step.old_inputs)}
    given = {name for each in giving for name in _whom(each, each.step.new_inputs)}
    roles = [each for each in changes.of(_ROLE) if not each.created and not each.deleted]
    bare = [each for each in roles if not any(each.step.old_inputs.get(name) for name in _LISTS[_ROLE])]
    found = {str(each.step.old_inputs.get("name")): each for each in bare}
    return {name: role for name, role in found.items() if name in given - had}


def _whom(change: Change, side: Mapping[str, Any]) -> list[str]:
    """The names of the roles that one side of the change gives something to."""
    named: Any = side.get(_GIVING[change.step.type][0]) or []
    several: list[Any] = [named] if isinstance(named, str) else named
    return [str(each).rsplit("/", 1)[-1] for each in several]


def _new_rights(change: Change, new_names: set[str]) -> Iterator[Finding]:
    who, what = _GIVING[change.step.type]
    named = change.new.resource.properties.get(who)
    if is_unknown(named) or (isinstance(named, str) and named.rsplit("/", 1)[-1] in new_names):
        return  # whoever is not known yet is made in this very update
    given = change.new.resource.properties.get(what)
    shown = "" if what == "policy" else f": {given if isinstance(given, str) else json.dumps(given)}"
    yield change.found("widen-iam", f"{named}, which is there already, is given rights{shown}")


def _names(sides: Iterable[Mapping[str, Any]]) -> set[str]:
    return {str(name) for each in sides if (name := each.get("name"))}


def _without_denials(change: Change, gone_names: set[str]) -> Iterator[Finding]:
    """A policy that goes takes what it denied with it, unless whoever it denied it to goes as well."""
    who, _ = _GIVING.get(change.step.type, ("", ""))
    key = DOCUMENTS.get(change.step.type)
    if not who or key is None or change.step.old_inputs.get(who) in gone_names:
        return
    try:
        denied = [each.sid or "without a Sid" for each in change.old.statements(key) if not each.allows]
    except Undecided:
        denied = ["that is not known"]
    if denied:
        yield change.found("widen-iam", f"is deleted, and with it the denial {', '.join(denied)}")


def _changed(change: Change, new_names: set[str]) -> Iterator[Finding]:
    key = DOCUMENTS.get(change.step.type)
    given = [each for each in _GIVING.get(change.step.type, ()) if each not in (key, "permissions")]
    if any(change.step.old_inputs.get(each) != change.step.new_inputs.get(each) for each in given):
        yield from _new_rights(change, new_names)
    if key is not None:
        said = _document(change, key)
        if said:
            yield change.found("widen-iam", f"{key}: {said}")
    if change.step.type == _ROLE:
        yield from _boundary(change)
    for name in _LISTS.get(change.step.type, ()):
        yield from _longer(change, name)


def _document(change: Change, key: str) -> str | None:
    old, new = change.step.old_inputs.get(key), change.step.new_inputs.get(key)
    # Two secrets look the same here.
    if old == new and not (is_unknown(new) and any(each.startswith(key) for each in change.step.changed)):
        return None
    if is_unknown(new) or is_unknown(old):
        return "what it will allow is known only once it is applied, so it cannot be compared"
    if new is None:
        return "is no longer set, and AWS's own takes its place" if old is not None else None
    try:
        told = widened(_statements(old), _statements(new))
    except ValueError:
        return "is no policy document, so it cannot be compared"
    more = f" and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
    return f"{'; '.join(told[:_SHOWN])}{more}" if told else None


def _statements(document: Any) -> tuple[Statement, ...]:
    return () if document in (None, "") else parse_statements(document)


def _boundary(change: Change) -> Iterator[Finding]:
    old = change.step.old_inputs.get("permissionsBoundary")
    new = change.step.new_inputs.get("permissionsBoundary")
    if old and new != old:
        yield change.found("widen-iam", f"permissionsBoundary: {old} → {new or 'none'}")


def _longer(change: Change, name: str) -> Iterator[Finding]:
    old: Any = change.step.old_inputs.get(name) or []
    new: Any = change.step.new_inputs.get(name) or []
    if old == new:
        return
    if is_unknown(new) or is_unknown(old):
        yield change.found("widen-iam", f"{name}: known only once it is applied")
        return
    added = [str(each) for each in new if each not in old]
    if added:
        yield change.found("widen-iam", f"{name}: {', '.join(added)}")


def _foreign(change: Change, accounts: frozenset[str]) -> str | None:
    if not accounts:
        return None
    try:
        statements = change.new.statements(DOCUMENTS[change.step.type])
    except Undecided:
        return None  # its own resource is not there yet; the rules judge it in the update
    named = [each for one in statements if one.allows for each in one.principals if each.startswith("AWS:")]
    return next((each for each in named if not any(account in each for account in accounts)), None)
