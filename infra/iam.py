"""IAM documents and roles: one role per job, no `*` action, `*` as a resource only with the reason beside it.

`statement` refuses what breaks this before it is declared. Nothing checks it once more at deployment: the tests of
`tests/infra` go through every policy of every stack as the program declares it.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pulumi
import pulumi_aws as aws

from infra.names import Names

Conditions = Mapping[str, Mapping[str, pulumi.Input[str] | Sequence[pulumi.Input[str]]]]
Principals = Literal["*"] | Mapping[str, Sequence[pulumi.Input[str]]]

_ACTION = re.compile(r"^[a-z0-9-]+:[A-Za-z0-9]+$")
_SID = re.compile(r"^[A-Za-z0-9]+$")


class PolicyError(Exception):
    """A policy statement that must not be declared; the message names the statement and what is wrong."""


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement of a policy; build it with `statement`, which checks it."""

    sid: str
    actions: tuple[str, ...]
    resources: tuple[pulumi.Input[str], ...] = ()
    conditions: Conditions = field(default_factory=dict[str, Any])
    effect: Literal["Allow", "Deny"] = "Allow"
    principals: Principals | None = None

    def to_json(self) -> dict[str, Any]:
        """The statement as AWS reads it back, one of a kind without its list; may still hold outputs."""
        body: dict[str, Any] = {"Sid": self.sid, "Effect": self.effect, "Action": list(self.actions)}
        if self.principals is not None:
            # For a resource's policy the same as "*", which not every service accepts.
            principals = {"AWS": ["*"]} if isinstance(self.principals, str) else self.principals
            body["Principal"] = {kind: _one_or_list(who) for kind, who in principals.items()}
        if self.resources:
            body["Resource"] = _one_or_list(self.resources)
        if self.conditions:
            body["Condition"] = {test: dict(keys) for test, keys in self.conditions.items()}
        return body


def statement(
    sid: str,
    actions: Sequence[str],
    resources: Sequence[pulumi.Input[str]],
    conditions: Conditions | None = None,
    *,
    principals: Principals | None = None,
    any_resource_because: str | None = None,
) -> Statement:
    """Allow `actions` on `resources`.

    `any_resource_because` is the reason for `*` as a resource, where AWS knows no narrower one. PolicyError for an
    action with a wildcard, for `*` without a reason, and for an action or sid that IAM would refuse.
    """
    if not _SID.match(sid):
        raise PolicyError(f"statement {sid!r}: a sid is letters and digits only")
    for action in actions:
        if not _ACTION.match(action):
            raise PolicyError(f"statement {sid}: action {action!r} must be one action such as 's3:GetObject'")
    if not actions or not resources:
        raise PolicyError(f"statement {sid}: needs at least one action and one resource")
    if "*" in [resource for resource in resources if isinstance(resource, str)] and not any_resource_because:
        raise PolicyError(f"statement {sid}: resource '*' needs its reason in any_resource_because")
    return Statement(
        sid=sid,
        actions=tuple(actions),
        resources=tuple(resources),
        conditions=conditions or {},
        principals=principals,
    )


def deny_all(sid: str, service: str, resources: Sequence[pulumi.Input[str]], conditions: Conditions) -> Statement:
    """Deny everyone all of `service` under `conditions`; the one place for a wildcard, as it only takes away."""
    return Statement(
        sid=sid,
        actions=(f"{service}:*",),
        resources=tuple(resources),
        conditions=conditions,
        effect="Deny",
        principals="*",
    )


def pass_role(sid: str, role_arns: Sequence[pulumi.Input[str]], service: str) -> Statement:
    """Allow handing those roles to `service` (`glue.amazonaws.com`) and to no other."""
    return statement(sid, ["iam:PassRole"], role_arns, {"StringEquals": {"iam:PassedToService": service}})


def policy_document(*statements: Statement) -> str:
    """The policy as JSON. PolicyError where a statement holds an output: `policy_output` is for those."""
    try:
        return json.dumps(_document(statements), separators=(",", ":"))
    except TypeError as error:
        raise PolicyError("a statement holds a value that is known only once deployed: use policy_output") from error


def policy_output(*statements: Statement) -> pulumi.Output[str]:
    """The policy as JSON, once what its statements refer to is known."""
    return pulumi.Output.json_dumps(_document(statements), separators=(",", ":"))


def service_trust(service: str, account_id: str, source_arns: Sequence[str] = ()) -> str:
    """Who may assume a role: `service`, acting for this account, and for `source_arns` where they are given.

    The conditions keep a resource of another account from using the role (the confused deputy).
    """
    conditions: dict[str, dict[str, Any]] = {"StringEquals": {"aws:SourceAccount": account_id}}
    if source_arns:
        conditions["ArnLike"] = {"aws:SourceArn": list(source_arns)}
    trust = Statement(
        sid="Assume", actions=("sts:AssumeRole",), conditions=conditions, principals={"Service": [service]}
    )
    return policy_document(trust)


def job_role(
    job: str,
    *,
    names: Names,
    service: str,
    description: str,
    statements: Sequence[Statement],
    opts: pulumi.ResourceOptions,
    source_arns: Sequence[str] = (),
) -> aws.iam.Role:
    """The role of one job, `names.role(job)`, assumed by `service` (`sagemaker.amazonaws.com`) with `statements` alone.

    It stands at the stack's path and under its boundary, without which the deploy role could not make it. The policy is
    a child of the role.
    """
    role = aws.iam.Role(
        f"{job}-role",
        name=names.role(job),
        path=names.role_path,
        permissions_boundary=names.boundary_arn,
        description=description,
        assume_role_policy=service_trust(service, names.account_id, source_arns),
        opts=opts,
    )
    aws.iam.RolePolicy(
        f"{job}-permissions",
        name="permissions",
        role=role.name,
        policy=policy_output(*statements),
        opts=pulumi.ResourceOptions(parent=role),
    )
    return role


def _one_or_list(values: Sequence[pulumi.Input[str]]) -> pulumi.Input[str] | list[pulumi.Input[str]]:
    return values[0] if len(values) == 1 else list(values)


def _document(statements: Sequence[Statement]) -> dict[str, Any]:
    sids = [each.sid for each in statements]
    twice = sorted({sid for sid in sids if sids.count(sid) > 1})
    if twice:
        raise PolicyError(f"statement {twice[0]}: a sid stands once in a policy")
    return {"Version": "2012-10-17", "Statement": [each.to_json() for each in statements]}
