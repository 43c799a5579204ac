"""One call of the API, and the questions that AWS asks before it lets it through."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from moto.s3.models import s3_backends

from rehearsal.aws.authorization import (
    context,
    decision,
    operations,
    resource_policies,
    resource_tags,
    resources,
    roles_passed,
)
from rehearsal.aws.authorization.principals import Principal
from rehearsal.aws.policies import Value

_OPEN: Final = frozenset({"sts:GetCallerIdentity", "sts:GetSessionToken"})
"""Nobody needs a permission for these."""
_READS: Final = frozenset({"s3:GetObject", "s3:GetObjectVersion"})
_WRITES: Final = frozenset({"s3:PutObject"})
_GRANTS: Final = ("sagemaker:CreateTrainingJob", "sagemaker:CreateProcessingJob")


@dataclass(frozen=True, kw_only=True)
class Call:
    """`service` is the one that the request is signed for, `operation` the API's name for it."""

    principal: Principal
    service: str
    operation: str
    parameters: Mapping[str, Any]
    region: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


def check(call: Call) -> None:
    """Raise AccessDeniedError for the first thing that the caller may not do."""
    for action in operations.actions(call.service, call.operation, version=bool(call.parameters.get("VersionId"))):
        if action in _OPEN:
            continue
        said = context.of_request(action.partition(":")[0], call.parameters, call.headers)
        for arn in _resources(call, action):
            require(call.principal, action, arn, region=call.region, **_about(action, arn, said))
            _require_key_of_bucket(call, action, arn)
        _require_volume_key(call, action)
    account_id = call.principal.account_id
    for arn, service in roles_passed.passed(call.service, call.operation, call.parameters, account_id):
        require(call.principal, "iam:PassRole", arn, region=call.region, **{"iam:passedtoservice": service})


def require(principal: Principal, action: str, arn: str, *, region: str, **said: Value) -> None:
    """Raise AccessDeniedError unless `principal` may do `action` with `arn`; `said` holds further condition keys."""
    owned = resource_policies.of(action, arn, principal.account_id)
    known: dict[str, Value] = {
        **context.of_caller(principal, region),
        **resource_tags.of(arn),
        "aws:resourceaccount": owned.owner_id,
        "kms:calleraccount": principal.account_id,
        "s3:resourceaccount": owned.owner_id,
    }
    decision.check(
        decision.Question(
            principal=principal,
            action=action,
            resource=arn,
            context=known | said,
            owner_id=owned.owner_id,
            resource_policy=owned.policy,
            resource_rules=owned.rules,
        )
    )


def _resources(call: Call, action: str) -> Iterator[str]:
    account_id = call.principal.account_id
    if action.startswith("sts:AssumeRole"):
        yield str(call.parameters.get("RoleArn"))
        return
    if call.operation == "DeleteObjects":
        bucket = call.parameters["Bucket"]
        yield from (f"arn:aws:s3:::{bucket}/{entry['Key']}" for entry in call.parameters["Delete"]["Objects"])
        return
    yield from resources.resources(action, call.parameters, account_id=account_id, region=call.region)


def _about(action: str, arn: str, said: dict[str, Value]) -> dict[str, Value]:
    """What a request says of one of its resources.

    EC2 tags only what it makes, which has no name yet. Who changes a role's policy is asked for the role's boundary.
    """
    if action.startswith("ec2:Create") and action != "ec2:CreateTags" and not arn.endswith("/*"):
        return {key: value for key, value in said.items() if not key.startswith("aws:requesttag/")}
    if action.startswith("iam:") and ":role/" in arn and not said.get("iam:permissionsboundary"):
        return {**said, "iam:permissionsboundary": resource_tags.boundary(arn)}
    return said


def _require_key_of_bucket(call: Call, action: str, arn: str) -> None:
    """S3 encrypts and decrypts with the permissions of its caller.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
    """
    if action not in _READS | _WRITES:
        return
    name = arn.removeprefix("arn:aws:s3:::").partition("/")[0]
    key = _default_key(name) or call.headers.get("x-amz-server-side-encryption-aws-kms-key-id")
    if key is None:
        return
    owner = str(s3_backends.bucket_accounts[name][1])
    said: dict[str, Value] = {
        "kms:viaservice": f"s3.{call.region}.amazonaws.com",
        "aws:viaawsservice": "true",
        **context.of_encryption({"aws:s3:arn": f"arn:aws:s3:::{name}"}),
    }
    needed = "kms:Decrypt" if action in _READS else "kms:GenerateDataKey"
    require(call.principal, needed, resources.key_arn(key, owner, call.region), region=call.region, **said)


def _default_key(name: str) -> str | None:
    """The key that a bucket encrypts with, if it is a customer's."""
    owner = s3_backends.bucket_accounts.get(name)
    bucket = s3_backends[owner[1]]["aws"].buckets.get(name) if owner else None
    rule: Any = (bucket.encryption or {}).get("Rule") if bucket is not None else None
    first: Any = cast("list[Any]", rule)[0] if isinstance(rule, list) else rule
    key = first and first.get("ApplyServerSideEncryptionByDefault", {}).get("KMSMasterKeyID")
    return None if not key or str(key).startswith("alias/aws/") else str(key)


def _require_volume_key(call: Call, action: str) -> None:
    """SageMaker encrypts the volumes of a job through a grant that the caller gives it.

    https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html
    """
    if action not in _GRANTS:
        return
    for key in context.of_request("sagemaker", call.parameters, {}).get("sagemaker:volumekmskey") or ():
        arn = resources.key_arn(key, call.principal.account_id, call.region)
        said: dict[str, Value] = {
            "kms:viaservice": f"sagemaker.{call.region}.amazonaws.com",
            "kms:grantisforawsresource": "true",
        }
        require(call.principal, "kms:CreateGrant", arn, region=call.region, **said)
