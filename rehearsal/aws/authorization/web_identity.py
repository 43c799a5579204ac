"""Tokens of identity providers, as `AssumeRoleWithWebIdentity` takes them. Their signature is not verified here."""

import base64
import binascii
import json
import time
from collections.abc import Mapping
from typing import Any, cast

from moto.iam.models import iam_backends

from rehearsal.aws.authorization import calls, principals
from rehearsal.aws.authorization.decision import AccessDeniedError
from rehearsal.aws.policies import Value

_ACTION = "sts:AssumeRoleWithWebIdentity"


class TokenError(Exception):
    """A token that no role is given for; `code` is AWS's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def check(parameters: Mapping[str, Any], region: str) -> None:
    """Raise TokenError unless the role's trust policy lets in whom the token speaks for.

    The issuer must be an identity provider of the role's account, the audience one of its clients.
    """
    role, claims = str(parameters["RoleArn"]), _claims(str(parameters.get("WebIdentityToken", "")))
    account_id = role.split(":")[4]
    issuer = str(claims.get("iss", "")).removeprefix("https://")
    provider = iam_backends[account_id]["aws"].open_id_providers.get(
        f"arn:aws:iam::{account_id}:oidc-provider/{issuer}"
    )
    if provider is None:
        raise TokenError(
            "InvalidIdentityToken", f"No OpenIDConnect provider found in your account for https://{issuer}"
        )
    audiences = _texts(claims.get("aud"))
    if not set(audiences) & set(provider.client_id_list):
        raise TokenError("InvalidIdentityToken", "Incorrect token audience")
    if float(claims.get("exp") or 0) < time.time():
        raise TokenError(
            "ExpiredTokenException", "Token expired: current date/time must be before the expiration date/time"
        )
    said: dict[str, Value] = {f"{issuer}:aud": audiences, f"{issuer}:sub": str(claims.get("sub", ""))}
    try:
        principal = principals.of_provider(str(provider.arn))
        calls.require(principal, _ACTION, role, region=region, **{key.lower(): value for key, value in said.items()})
    except AccessDeniedError as error:
        raise TokenError("AccessDenied", f"Not authorized to perform {_ACTION}") from error


def _claims(token: str) -> dict[str, Any]:
    try:
        _, payload, _ = token.split(".")
        decoded = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, binascii.Error) as error:
        raise TokenError("InvalidIdentityToken", "The ID Token provided is not a valid JWT") from error
    return cast("dict[str, Any]", decoded) if isinstance(decoded, dict) else {}


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(each) for each in cast("list[Any]", value)) if isinstance(value, list) else (str(value),)
