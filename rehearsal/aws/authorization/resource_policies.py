"""The policies that resources carry themselves, read from where moto keeps them."""

import json
from dataclasses import dataclass
from typing import Any, Final

from moto.ecr.models import ecr_backends
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.s3.models import s3_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from rehearsal.aws.authorization.principals import Document, document

_ASSUME: Final = ("sts:AssumeRole", "sts:AssumeRoleWithWebIdentity", "sts:TagSession", "sts:SetSourceIdentity")


@dataclass(frozen=True, kw_only=True)
class Owned:
    """Whose a resource is, its own policy, and whether nothing goes without that policy."""

    owner_id: str
    policy: Document | None = None
    rules: bool = False


def of(action: str, arn: str, account_id: str) -> Owned:
    """What is known of the resource that `arn` names, called from `account_id`."""
    service, _, rest = arn.removeprefix("arn:aws:").partition(":")
    region, _, rest = rest.partition(":")
    owner, _, name = rest.partition(":")
    if service == "s3":
        return _bucket(name or rest.removeprefix(":"), account_id)
    if not arn.startswith("arn:") or not owner.isdigit():
        return Owned(owner_id=account_id)
    if service == "kms" and name.startswith("key/"):
        key = kms_backends[owner][region].keys.get(name.removeprefix("key/"))
        rules = action not in ("kms:CreateKey", "kms:ListKeys", "kms:ListAliases")
        return Owned(owner_id=owner, policy=_parsed(key.policy) if key else None, rules=rules and key is not None)
    if service == "iam" and action in _ASSUME:
        role = next((each for each in list(iam_backends[owner]["aws"].roles.values()) if each.arn == arn), None)
        return Owned(owner_id=owner, policy=_parsed(role.assume_role_policy_document) if role else None, rules=True)
    return Owned(owner_id=owner, policy=_parsed(_text(service, owner, region, name, arn)))


def _bucket(name: str, account_id: str) -> Owned:
    bucket_name = name.partition("/")[0]
    owner = str(s3_backends.bucket_accounts.get(bucket_name, ("aws", account_id))[1])
    bucket = s3_backends[owner]["aws"].buckets.get(bucket_name)
    return Owned(owner_id=owner, policy=_parsed(bucket.policy) if bucket is not None else None)


def _text(service: str, owner: str, region: str, name: str, arn: str) -> Any:
    match service:
        case "sqs":
            return getattr(sqs_backends[owner][region].queues.get(name), "policy", None)
        case "sns":
            return getattr(sns_backends[owner][region].topics.get(arn), "policy", None)
        case "ecr":
            return getattr(ecr_backends[owner][region].repositories.get(name.partition("/")[2]), "policy", None)
        case "secretsmanager":
            secrets = secretsmanager_backends[owner][region].secrets
            return getattr(secrets.get(arn) if arn in secrets else None, "policy", None)
        case _:
            return None


def _parsed(text: Any) -> Document | None:
    if not text:
        return None
    found = document(text.decode() if isinstance(text, bytes) else text if isinstance(text, str) else json.dumps(text))
    return found if found.get("Statement") else None
