"""Whom the roles trust: one repository, one environment, this audience, each exact."""

import json
from typing import Any

from infra.bootstrap.settings import BootstrappedStack
from infra.bootstrap.trust import deploy_trust, preview_trust
from infra.settings import GitHubSettings

ACCOUNT = "222222222222"
CLAIM = "token.actions.githubusercontent.com"
STACK = BootstrappedStack(stack="dev", protect=True, github=GitHubSettings(repository="org/repo"))


def only(document: str) -> dict[str, Any]:
    (statement,) = json.loads(document)["Statement"]
    return statement


def test_a_deploy_role_is_for_the_stacks_environment() -> None:
    trust = only(deploy_trust(STACK, ACCOUNT))
    assert trust["Action"] == ["sts:AssumeRoleWithWebIdentity"]
    assert trust["Principal"] == {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{CLAIM}"}
    assert trust["Condition"] == {
        "StringEquals": {f"{CLAIM}:aud": "sts.amazonaws.com", f"{CLAIM}:sub": ["repo:org/repo:environment:dev"]}
    }


def test_a_preview_role_is_for_pull_requests_and_main() -> None:
    assert only(preview_trust(STACK, ACCOUNT))["Condition"]["StringEquals"][f"{CLAIM}:sub"] == [
        "repo:org/repo:pull_request",
        "repo:org/repo:ref:refs/heads/main",
    ]


def test_numbers_are_trusted_beside_the_names() -> None:
    github = GitHubSettings(repository="org/repo", owner_id=12, repository_id=34)
    trust = only(deploy_trust(STACK.model_copy(update={"github": github}), ACCOUNT))
    assert trust["Condition"]["StringEquals"][f"{CLAIM}:sub"] == [
        "repo:org/repo:environment:dev",
        "repo:org@12/repo@34:environment:dev",
    ]


def test_without_a_repository_the_account_itself_decides() -> None:
    trust = only(deploy_trust(STACK.model_copy(update={"github": None}), ACCOUNT))
    assert trust["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    assert trust["Action"] == ["sts:AssumeRole"]
