"""Bucket policies with conditions: moto takes every statement with a condition for one that denies.

The loopback counts as TLS, so that `aws:SecureTransport` is true: nothing leaves the machine.
"""

import json
from typing import Any, Final

from flask import has_request_context, request
from moto.iam.access_control import PermissionResult
from moto.iam.models import get_account_id_from
from moto.s3.models import FakeBucket

from rehearsal.aws import accounts, policies
from rehearsal.aws.gaps import replace

NOTES: Final = (
    "The rehearsal speaks HTTP on the loopback and lets it count as TLS: `aws:SecureTransport` is true.",
    "Bucket policies are evaluated for calls on objects only, with these condition keys: aws:SecureTransport, "
    "aws:PrincipalAccount, aws:PrincipalArn, aws:PrincipalIsAWSService, aws:ViaAWSService, s3:TlsVersion and those of "
    "the encryption and ACL headers. A statement that asks for another key, such as aws:SourceVpce, does not apply.",
    "IAM policies are stored and validated, not enforced: only bucket policies can deny.",
)
_ACTIONS: Final = {"s3:HeadObject": "s3:GetObject", "s3:PostObject": "s3:PutObject"}
_HEADERS: Final = (
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-bucket-key-enabled",
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-acl",
    "x-amz-storage-class",
)
_RESULTS: Final = {
    "allow": PermissionResult.PERMITTED,
    "deny": PermissionResult.DENIED,
    "neither": PermissionResult.NEUTRAL,
}


def install() -> None:
    """Take over the evaluation of a bucket's policy."""
    replace(FakeBucket, get_permission=get_permission)


def get_permission(self: FakeBucket, action: str, resource: str) -> Any:
    """What the bucket's policy says of one call on an object."""
    if self.policy is None:
        return PermissionResult.NEUTRAL
    headers = {name.lower(): value for name, value in request.headers.items()} if has_request_context() else {}
    account_id, principals = _caller(str(headers.get("authorization", "")), str(self.account_id))
    context: dict[str, str | None] = {
        "aws:securetransport": "true",
        "aws:principalaccount": account_id,
        "aws:principalarn": principals[-1] if principals else None,
        "aws:principalisawsservice": "false",
        "aws:viaawsservice": "false",
        "s3:tlsversion": "1.3",
        **{f"s3:{header}": headers.get(header) for header in _HEADERS},
    }
    asked = policies.Request(
        action=_ACTIONS.get(action, action),
        resource=resource,
        account_id=account_id,
        principals=principals,
        context=context,
    )
    return _RESULTS[policies.decide(json.loads(self.policy), asked)]


def _caller(authorization: str, owner: str) -> tuple[str, tuple[str, ...]]:
    _, found, rest = authorization.partition("Credential=")
    if not found:
        return owner, ()
    key = rest.split("/", 1)[0]
    account_id = get_account_id_from(key)
    return account_id, accounts.caller(account_id, key)
