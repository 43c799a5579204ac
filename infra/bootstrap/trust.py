"""Which workflows may take a role: GitHub's own signed word, pinned to a repository and an environment.

Repositories made or renamed since 15 July 2026 have the numbers of owner and repository in the subject, so that
whoever takes over a name that became free is not trusted. A stack whose settings know the numbers trusts both forms,
each exact.
https://docs.github.com/en/actions/reference/security/oidc#immutable-subject-claims
"""

from infra.bootstrap.settings import BootstrappedStack
from infra.bootstrap.trust_names import AUDIENCE, ISSUER, provider_arn
from infra.iam import Statement, policy_document
from infra.settings import GitHubSettings


def deploy_trust(stack: BootstrappedStack, account_id: str) -> str:
    """Jobs of the repository that run in the GitHub environment of the stack's name."""
    return _trust(stack.github, account_id, [f"environment:{stack.stack}"])


def preview_trust(stack: BootstrappedStack, account_id: str) -> str:
    """Pull requests of the repository, and main, where drift is looked for."""
    return _trust(stack.github, account_id, ["pull_request", "ref:refs/heads/main"])


def promotion_trust(stack: BootstrappedStack, account_id: str, next_stack: str) -> str:
    """Jobs of the repository that run in the GitHub environment of the stack that is promoted to."""
    return _trust(stack.github, account_id, [f"environment:{next_stack}"])


def subjects(github: GitHubSettings, contexts: list[str]) -> list[str]:
    """The `sub` of each context, in each form that the repository may have."""
    return [f"repo:{name}:{context}" for name in github.subject_names for context in contexts]


def _trust(github: GitHubSettings | None, account_id: str, contexts: list[str]) -> str:
    if github is None:
        # Nobody by name: the account's own policies say who may assume it.
        account = {"AWS": [f"arn:aws:iam::{account_id}:root"]}
        return policy_document(Statement(sid="Assume", actions=("sts:AssumeRole",), principals=account))
    return policy_document(
        Statement(
            sid="Assume",
            actions=("sts:AssumeRoleWithWebIdentity",),
            principals={"Federated": [provider_arn(account_id)]},
            conditions={
                "StringEquals": {f"{ISSUER}:aud": AUDIENCE, f"{ISSUER}:sub": subjects(github, contexts)},
            },
        )
    )
