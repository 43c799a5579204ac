"""How the account knows GitHub. Without Pulumi, for those who look before anything is declared."""

ISSUER = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"


def provider_arn(account_id: str) -> str:
    """The ARN of the account's one provider for GitHub."""
    return f"arn:aws:iam::{account_id}:oidc-provider/{ISSUER}"
