"""Credentials inside the rehearsal: an administrator per account, and sessions of the roles that jobs run as."""

import functools
import threading
from typing import Any

import boto3
from botocore.config import Config
from moto.iam.models import IAMBackend, iam_backends
from moto.sts.models import sts_backends

from rehearsal.aws import runtime
from rehearsal.aws.authorization import calls, principals
from rehearsal.aws.authorization.decision import AccessDeniedError
from rehearsal.aws.policies import Value

_ADMINISTRATOR = "rehearsal-admin"
_PARTITION = "aws"
_ALLOW_ALL = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
_SESSION_S = 43_200
_lock = threading.Lock()
_client_lock = threading.Lock()


class UnknownRoleError(Exception):
    """A role that a service was told to assume does not exist, or does not trust that service."""


def administrator(account_id: str) -> dict[str, str]:
    """The access key of the account's administrator, made at the first call: `access_key_id`, `secret_access_key`."""
    if not (account_id.isdigit() and len(account_id) == 12):
        raise ValueError(f"account_id: {account_id!r} is not an AWS account id, which has twelve digits")
    with _lock:
        backend = iam_backends[account_id][_PARTITION]
        if _ADMINISTRATOR not in backend.users:
            backend.create_user(region_name="us-east-1", user_name=_ADMINISTRATOR)
            backend.put_user_policy(_ADMINISTRATOR, "administrator", _ALLOW_ALL)
            backend.create_access_key(_ADMINISTRATOR)
        key = backend.list_access_keys(_ADMINISTRATOR)[0]
    return {"access_key_id": key.access_key_id, "secret_access_key": key.secret_access_key}


def require_role(role: str, account_id: str) -> str:
    """The ARN of a role given by ARN or by name. Raises UnknownRoleError, naming it."""
    owner = role.split(":")[4] if role.startswith("arn:") else account_id
    backend: IAMBackend = iam_backends[owner][_PARTITION]
    name = role.rpartition("/")[2]
    for known in list(backend.get_roles()):
        if known.name == name:
            return str(known.arn)
    raise UnknownRoleError(f"role {role} does not exist")


def trust(role_arn: str, service: str, *, region: str, source_arn: str | None = None) -> None:
    """Raise UnknownRoleError unless the role exists and its trust policy lets the service assume it.

    `source_arn` is what the service acts for.
    """
    owner = role_arn.split(":")[4]
    require_role(role_arn, owner)
    said: dict[str, Value] = {"aws:sourceaccount": owner, "aws:sourcearn": source_arn}
    try:
        calls.require(principals.of_service(service, owner), "sts:AssumeRole", role_arn, region=region, **said)
    except AccessDeniedError as error:
        raise UnknownRoleError(f"the trust policy of role {role_arn} does not let {service} assume it") from error


def assume(role_arn: str, *, region: str, session: str) -> dict[str, str]:
    """The `AWS_*` variables of a session of the role, which carry the role's own account."""
    owner = role_arn.split(":")[4]
    assumed = sts_backends[owner][_PARTITION].assume_role(
        region_name=region,
        role_session_name=session[:64],
        role_arn=role_arn,
        policy="",
        duration=_SESSION_S,
        external_id="",
    )
    return {
        "AWS_ACCESS_KEY_ID": assumed.access_key_id,
        "AWS_SECRET_ACCESS_KEY": assumed.secret_access_key,
        "AWS_SESSION_TOKEN": assumed.session_token,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
    }


def client(service: str, credentials: dict[str, str]) -> Any:
    """A boto3 client of this very server. One session reads the services' descriptions once, one caller at a time."""
    with _client_lock:
        return _session().client(
            service,
            aws_access_key_id=credentials["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=credentials["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=credentials["AWS_SESSION_TOKEN"],
            region_name=credentials["AWS_REGION"],
            endpoint_url=runtime.current().endpoint_url,
            config=Config(retries={"total_max_attempts": 2}, read_timeout=120, s3={"addressing_style": "path"}),
        )


@functools.cache
def _session() -> Any:
    return boto3.Session()
