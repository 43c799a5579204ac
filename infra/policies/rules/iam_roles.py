"""Who may become a role: a trust that names who and for what, within the permissions boundary."""

from typing import Any

from infra.policies.checks import all_of, each_item, no_statement, not_one_of, present
from infra.policies.documents import Statement
from infra.policies.resources import Properties, Resource, Stack
from infra.policies.rule import REMOVED, ResourceRule, Rule, StackRule
from infra.policies.sources import aws_docs, cis, ml_lens, security_hub

_ROLE = ("aws:iam/role:Role",)
_OIDC = ("aws:iam/openIdConnectProvider:OpenIdConnectProvider",)
_GITHUB = "token.actions.githubusercontent.com"


def _trusting(principal: object, **conditions: Any) -> dict[str, Any]:
    """The properties of a role with one statement of trust, as an example."""
    statement = {"Sid": "Assume", "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}
    return {
        "name": "train",
        "permissionsBoundary": "arn:aws:iam::111111111111:policy/boundary",
        "assumeRolePolicy": {"Statement": [{**statement, "Condition": conditions}]},
    }


_GLUE = {"Service": "glue.amazonaws.com"}
_TRUST = _trusting(_GLUE, StringEquals={"aws:SourceAccount": "111111111111"})
_BY_GITHUB = {
    "assumeRolePolicy": {
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Principal": {"Federated": f"arn:aws:iam::111111111111:oidc-provider/{_GITHUB}"},
                "Condition": {
                    "StringEquals": {
                        f"{_GITHUB}:aud": "sts.amazonaws.com",
                        f"{_GITHUB}:sub": "repo:example/models:environment:production",
                    }
                },
            }
        ]
    }
}


def _deputy(statement: Statement) -> bool:
    services = [each for each in statement.principals if each.startswith("Service:")]
    keys = {key for _, key, _ in statement.conditions}
    return statement.allows and bool(services) and not {"aws:sourceaccount", "aws:sourcearn"} & keys


def _anyone_of_account(statement: Statement) -> bool:
    accounts = [each for each in statement.principals if each.startswith("AWS:")]
    return statement.allows and any(each.endswith(":root") or "arn:" not in each for each in accounts)


def _github_unpinned(statement: Statement) -> str | None:
    if not any(_GITHUB in each for each in statement.principals):
        return None
    pinned = {key: values for operator, key, values in statement.conditions if operator.startswith("string")}
    if pinned.get(f"{_GITHUB}:aud") != ("sts.amazonaws.com",):
        return "does not pin aud to sts.amazonaws.com"
    subjects = pinned.get(f"{_GITHUB}:sub", ())
    if not subjects:
        return "does not pin sub"
    # The part after the repository says from where in it; `*` there would be any branch and any pull request.
    wide = [each for each in subjects if not each.startswith("repo:") or "*" in each or each.count(":") < 2]
    return f"trusts {wide[0]!r}, which is more than one environment of one repository" if wide else None


def _github(properties: Properties) -> str | None:
    found = (_github_unpinned(each) for each in properties.statements("assumeRolePolicy"))
    said = next((each for each in found if each), None)
    return f"assumeRolePolicy: {said}" if said else None


def _user(properties: Properties) -> str | None:
    if properties.resource.type.endswith(":User"):
        return "a user is declared; declare a role that is assumed"
    status = properties.at("status")
    return None if status == "Inactive" else f"status is {status!r}; a key is only kept to be looked at, as 'Inactive'"


def _policy_of_its_own(role: Resource, stack: Stack) -> str | None:
    attached = stack.of("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
    administrators = [
        each
        for each in attached
        if each.properties.get("role") == role.properties.get("name")
        and str(each.properties.get("policyArn", "")).endswith(
            (":policy/AdministratorAccess", ":policy/PowerUserAccess")
        )
    ]
    return f"{administrators[0].name} attaches {administrators[0].properties['policyArn']}" if administrators else None


def _attachment(policy: str) -> Resource:
    properties = {"role": "train", "policyArn": f"arn:aws:iam::aws:policy/{policy}"}
    return Resource(type="aws:iam/rolePolicyAttachment:RolePolicyAttachment", name="attached", properties=properties)


_LEAST = ml_lens("MLSEC03-BP01")
_ROLE_EXAMPLE = Resource(type=_ROLE[0], name="train", properties={"name": "train"})

RULES: tuple[Rule, ...] = (
    ResourceRule(
        id="iam-trust-not-public",
        title="No role trusts everyone",
        sources=(aws_docs("Trust policies", "IAM/latest/UserGuide/id_roles_update-role-trust-policy.html"), _LEAST),
        severity="critical",
        types=_ROLE,
        check=no_statement(["assumeRolePolicy"], lambda each: each.public, "trusts everyone"),
        passing=_TRUST,
        broken_by=_trusting("*"),
    ),
    ResourceRule(
        id="iam-trust-no-account",
        title="No role trusts all of an account",
        sources=(_LEAST,),
        severity="medium",
        types=_ROLE,
        check=no_statement(["assumeRolePolicy"], _anyone_of_account, "trusts all of an account"),
        passing=_TRUST,
        broken_by=_trusting({"AWS": "arn:aws:iam::222222222222:root"}),
    ),
    ResourceRule(
        id="iam-trust-bound",
        title="A role trusts a service for its own account only",
        sources=(aws_docs("The confused deputy problem", "IAM/latest/UserGuide/confused-deputy.html"),),
        severity="medium",
        types=_ROLE,
        check=no_statement(["assumeRolePolicy"], _deputy, "trusts a service on behalf of any account"),
        passing=_TRUST,
        broken_by=_trusting(_GLUE),
    ),
    ResourceRule(
        id="iam-trust-github-pinned",
        title="A role that GitHub assumes trusts one environment of one repository, for STS",
        sources=(
            aws_docs("Roles for OIDC providers", "IAM/latest/UserGuide/id_roles_create_for-idp_oidc.html"),
            _LEAST,
        ),
        severity="critical",
        types=_ROLE,
        check=_github,
        passing=_BY_GITHUB,
        broken_by={
            "assumeRolePolicy": {
                "Statement": [
                    {
                        **_BY_GITHUB["assumeRolePolicy"]["Statement"][0],
                        "Condition": {
                            "StringEquals": {f"{_GITHUB}:aud": "sts.amazonaws.com"},
                            "StringLike": {f"{_GITHUB}:sub": "repo:example/models:*"},
                        },
                    }
                ]
            }
        },
    ),
    ResourceRule(
        id="iam-role-boundary",
        title="A role stays within the permissions boundary, whatever its policies say",
        sources=(aws_docs("Permissions boundaries", "IAM/latest/UserGuide/access_policies_boundaries.html"), _LEAST),
        severity="medium",
        types=_ROLE,
        check=present("permissionsBoundary"),
        passing=_TRUST,
        broken_by={"permissionsBoundary": REMOVED},
    ),
    ResourceRule(
        id="iam-role-short-sessions",
        title="A session of a role ends after an hour, four at the most",
        sources=(aws_docs("Session duration", "IAM/latest/UserGuide/id_roles_update-role-settings.html"),),
        severity="low",
        types=_ROLE,
        check=lambda properties: (
            f"maxSessionDuration is {properties.at('maxSessionDuration')} s"
            if float(properties.at("maxSessionDuration") or 3600) > 4 * 3600
            else None
        ),
        passing=_TRUST,
        broken_by={"maxSessionDuration": 43200},
    ),
    ResourceRule(
        id="iam-role-keeps-policies",
        title="A role with policies that nobody declared is not deleted",
        sources=(ml_lens("MLSEC04-BP01"),),
        severity="low",
        types=_ROLE,
        check=not_one_of("forceDetachPolicies", True),
        passing=_TRUST,
        broken_by={"forceDetachPolicies": True},
    ),
    StackRule(
        id="iam-role-no-administrator",
        title="No role is an administrator by a policy of AWS",
        sources=(security_hub("IAM.1"), cis("1.15", "1.16")),
        severity="critical",
        types=_ROLE,
        relation=_policy_of_its_own,
        passing=(_ROLE_EXAMPLE, _attachment("AmazonS3ReadOnlyAccess")),
        failing=(_ROLE_EXAMPLE, _attachment("AdministratorAccess")),
    ),
    ResourceRule(
        id="iam-no-users",
        title="No IAM user and no stored access key is declared",
        sources=(
            cis("1.13", "1.14"),
            aws_docs("Temporary credentials", "IAM/latest/UserGuide/best-practices.html#bp-workloads-use-roles"),
        ),
        severity="high",
        types=("aws:iam/accessKey:AccessKey", "aws:iam/user:User"),
        check=_user,
        passing={"user": "ci", "status": "Inactive"},
        broken_by={"status": "Active"},
    ),
    ResourceRule(
        id="iam-oidc-audience",
        title="The GitHub identity provider issues tokens for STS only",
        sources=(aws_docs("OIDC providers", "IAM/latest/UserGuide/id_roles_providers_create_oidc.html"),),
        severity="high",
        types=_OIDC,
        check=all_of(
            present("clientIdLists"),
            each_item("clientIdLists", lambda each: None if each == "sts.amazonaws.com" else f"is {each!r}"),
        ),
        passing={"url": f"https://{_GITHUB}", "clientIdLists": ["sts.amazonaws.com"]},
        broken_by={"clientIdLists": ["sts.amazonaws.com", "https://github.com/another"]},
    ),
)
