"""Who calls, and what their own policies say: users, sessions of roles, AWS services, identity providers."""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from moto.iam.models import IAMBackend, Policy, iam_backends
from moto.sts.models import AssumedRole, sts_backends

Document = Mapping[str, Any]
Kind = Literal["User", "AssumedRole", "Service", "FederatedUser", "Anonymous"]


@dataclass(frozen=True, kw_only=True)
class Principal:
    """A caller: `arn` is how messages name it, `names` what policies may call it.

    `boundary` and `session` limit what `policies` allow; None where there is none.
    """

    arn: str
    names: tuple[str, ...]
    account_id: str
    kind: Kind
    policies: tuple[Document, ...] = ()
    boundary: Document | None = None
    session: Document | None = None
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    service: str | None = None
    federated: str | None = None


ANONYMOUS = Principal(arn="anonymous", names=(), account_id="", kind="Anonymous")


def of_key(account_id: str, access_key_id: str) -> Principal | None:
    """The owner of an access key, or None for a key that nobody has."""
    for assumed in reversed(sts_backends[account_id]["aws"].assumed_roles):
        if assumed.access_key_id == access_key_id:
            return _session(assumed)
    key = iam_backends[account_id]["aws"].access_keys.get(access_key_id)
    return _user(account_id, str(key.user_name)) if key is not None and key.user_name else None


def of_role(role_arn: str, session: str) -> Principal:
    """A session of a role, as a service holds one."""
    account_id, name = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    arn = f"arn:aws:sts::{account_id}:assumed-role/{name}/{session}"
    return _role(account_id, role_arn, arn, None)


def of_service(service: str, account_id: str) -> Principal:
    """An AWS service that acts for an account."""
    return Principal(arn=service, names=(), account_id=account_id, kind="Service", service=service)


def of_provider(provider_arn: str) -> Principal:
    """An identity provider that vouches for whoever brings its token."""
    account_id = provider_arn.split(":")[4]
    return Principal(arn=provider_arn, names=(), account_id=account_id, kind="FederatedUser", federated=provider_arn)


def _session(assumed: AssumedRole) -> Principal:
    return _role(str(assumed.account_id), str(assumed.role_arn), str(assumed.arn), assumed.policy or None)


def _role(account_id: str, role_arn: str, arn: str, session: str | None) -> Principal:
    backend = iam_backends[account_id]["aws"]
    role = backend.roles.get(_role_id(backend, role_arn))
    if role is None:  # deleted since: the session is left without any permission
        return Principal(arn=arn, names=(arn,), account_id=account_id, kind="AssumedRole")
    attached = [_managed(each) for each in role.managed_policies.values()]
    tags = {str(tag["Key"]): str(tag["Value"]) for tag in role.tags or ()}
    return Principal(
        arn=arn,
        names=(arn, str(role.arn)),
        account_id=account_id,
        kind="AssumedRole",
        policies=(*(document(each) for each in role.policies.values()), *attached),
        boundary=_boundary(backend, role.permissions_boundary_arn),
        session=document(session) if session else None,
        tags=tags,
    )


def _role_id(backend: IAMBackend, role_arn: str) -> str:
    return next((str(role.id) for role in list(backend.roles.values()) if role.arn == role_arn), "")


def _user(account_id: str, name: str) -> Principal:
    backend = iam_backends[account_id]["aws"]
    arn = str(backend.users[name].arn)
    user = backend.users[name]
    inline = [document(text) for text in user.policies.values()]
    attached = [_managed(each) for each in user.managed_policies.values()]
    for group in backend.get_groups_for_user(name):
        inline += [document(text) for text in group.policies.values()]
        attached += [_managed(each) for each in group.managed_policies.values()]
    return Principal(arn=arn, names=(arn,), account_id=account_id, kind="User", policies=(*inline, *attached))


def _boundary(backend: IAMBackend, arn: str | None) -> Document | None:
    """The boundary's document; one that does not exist allows nothing."""
    if not arn:
        return None
    policy = backend.managed_policies.get(arn)
    return _managed(policy) if policy is not None else None


def _managed(policy: Policy) -> Document:
    default = next(version for version in policy.versions if version.is_default)
    return document(str(default.document))


@functools.lru_cache(maxsize=1024)
def document(text: str) -> Document:
    """A policy's text, parsed once."""
    return json.loads(text)
