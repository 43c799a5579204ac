"""What a policy allows: named actions on named resources, and no way to make rights out of nothing."""

from typing import Any

from infra.policies.checks import StatementTest, no_statement
from infra.policies.documents import Statement
from infra.policies.rule import ResourceRule, Rule, Severity
from infra.policies.sources import Source, aws_docs, cis, ml_lens, security_hub

POLICY_TYPES = ("aws:iam/rolePolicy:RolePolicy", "aws:iam/policy:Policy")
# What makes rights out of nothing. https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
_BOUNDARY = "iam:permissionsboundary"
_GRANTING = frozenset({"iam:attachrolepolicy", "iam:createrole", "iam:putrolepolicy", "iam:putrolepermissionsboundary"})


def allowing(action: str, resource: str, **more: Any) -> dict[str, Any]:
    """The properties of a policy with one statement, as an example."""
    statement = {"Sid": "Example", "Effect": "Allow", "Action": [action], "Resource": [resource], **more}
    return {"policy": {"Version": "2012-10-17", "Statement": [statement]}}


_READS = allowing("s3:GetObject", "arn:aws:s3:::lake/*")
_PASSES = allowing(
    "iam:PassRole",
    "arn:aws:iam::111111111111:role/train",
    Condition={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
)


def _full(statement: Statement) -> bool:
    return statement.allows and "*" in statement.actions and ("*" in statement.resources or not statement.resources)


def _any_of_service(statement: Statement) -> bool:
    return statement.allows and any(each == "*" or each.endswith(":*") for each in statement.actions)


def _all_but(statement: Statement) -> bool:
    return statement.allows and bool(statement.not_actions or statement.not_resources)


def _passes_any_role(statement: Statement) -> bool:
    passes = statement.allows and any(each in ("iam:*", "iam:passrole") for each in statement.actions)
    return passes and any(each == "*" or each.endswith(":role/*") for each in statement.resources)


def _passes_to_anyone(statement: Statement) -> bool:
    keys = {key for _, key, _ in statement.conditions}
    return statement.allows and "iam:passrole" in statement.actions and "iam:passedtoservice" not in keys


def _grants_unbounded(statement: Statement) -> bool:
    keys = {key for _, key, _ in statement.conditions}
    grants = statement.allows and any(each in _GRANTING for each in statement.actions)
    return grants and _BOUNDARY not in keys


def _assumes_any_role(statement: Statement) -> bool:
    assumes = statement.allows and "sts:assumerole" in statement.actions
    return assumes and any(each == "*" or each.endswith(":role/*") for each in statement.resources)


def _no_statement(
    id_: str,
    title: str,
    test: StatementTest,
    said: str,
    sources: tuple[Source, ...],
    severity: Severity,
    broken: dict[str, Any],
    good: dict[str, Any] = _READS,
) -> Rule:
    return ResourceRule(
        id=id_,
        title=title,
        sources=sources,
        severity=severity,
        types=POLICY_TYPES,
        check=no_statement(["policy"], test, said),
        passing=good,
        broken_by=broken,
    )


_LEAST = ml_lens("MLSEC03-BP01")
_PASS_ROLE = aws_docs("Granting permissions to pass a role", "IAM/latest/UserGuide/id_roles_use_passrole.html")


RULES: tuple[Rule, ...] = (
    _no_statement(
        "iam-no-full-access",
        "No policy allows everything on everything",
        _full,
        "allows everything on everything",
        (security_hub("IAM.1"), cis("1.15", "1.16")),
        "high",
        allowing("*", "*"),
    ),
    _no_statement(
        "iam-named-actions",
        "A policy names its actions, not all of a service",
        _any_of_service,
        "allows all actions of a service",
        (security_hub("IAM.21"), _LEAST),
        "medium",
        allowing("s3:*", "arn:aws:s3:::lake/*"),
    ),
    _no_statement(
        "iam-no-all-but",
        "No policy allows all but what it names",
        _all_but,
        "allows all but what it names (NotAction, NotResource)",
        (
            security_hub("IAM.21"),
            aws_docs("NotAction", "IAM/latest/UserGuide/reference_policies_elements_notaction.html"),
        ),
        "high",
        {"policy": {"Statement": [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]}},
    ),
    _no_statement(
        "iam-pass-named-roles",
        "A role passes on roles that its policy names",
        _passes_any_role,
        "passes any role",
        (_PASS_ROLE, _LEAST),
        "high",
        allowing("iam:PassRole", "arn:aws:iam::111111111111:role/*"),
        _PASSES,
    ),
    _no_statement(
        "iam-pass-to-service",
        "A role is passed to a service that the policy names",
        _passes_to_anyone,
        "passes a role to any service (no iam:PassedToService)",
        (_PASS_ROLE, _LEAST),
        "high",
        allowing("iam:PassRole", "arn:aws:iam::111111111111:role/train"),
        _PASSES,
    ),
    _no_statement(
        "iam-grant-within-boundary",
        "Who makes roles or their policies gives them no more than the permissions boundary",
        _grants_unbounded,
        "makes roles without a condition on iam:PermissionsBoundary",
        (aws_docs("Permissions boundaries", "IAM/latest/UserGuide/access_policies_boundaries.html"),),
        "high",
        allowing("iam:CreateRole", "arn:aws:iam::111111111111:role/drivetrain/*"),
        allowing(
            "iam:CreateRole",
            "arn:aws:iam::111111111111:role/drivetrain/*",
            Condition={"StringEquals": {"iam:PermissionsBoundary": "arn:aws:iam::111111111111:policy/boundary"}},
        ),
    ),
    _no_statement(
        "iam-assume-named-roles",
        "A role assumes roles that its policy names",
        _assumes_any_role,
        "assumes any role",
        (_LEAST,),
        "high",
        allowing("sts:AssumeRole", "*"),
        allowing("sts:AssumeRole", "arn:aws:iam::111111111111:role/train"),
    ),
)
