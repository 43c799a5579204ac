"""The condition keys that a call carries, each in lower case, from its parameters, its headers and its caller.

`derived` says of a key whether the rehearsal knows it: a policy that asks for another one is not judged as on AWS,
which a test holds against every policy that the stacks declare.
"""

import datetime
import re
from collections.abc import Mapping
from typing import Any, Final, cast

from rehearsal.aws.authorization.principals import Principal
from rehearsal.aws.policies import UNKNOWABLE, Value

_S3_HEADERS: Final = (
    "x-amz-acl",
    "x-amz-copy-source",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-bucket-key-enabled",
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-storage-class",
)
_S3_QUERY: Final = {
    "s3:prefix": "Prefix",
    "s3:delimiter": "Delimiter",
    "s3:max-keys": "MaxKeys",
    "s3:versionid": "VersionId",
}
_MEMBERS: Final[dict[str, tuple[str, ...]]] = {
    "application-autoscaling:scalable-dimension": ("ScalableDimension",),
    "application-autoscaling:service-namespace": ("ServiceNamespace",),
    "cloudwatch:namespace": ("Namespace",),
    "events:detail-type": ("Entries.DetailType", "EventPattern.detail-type"),
    "events:source": ("Entries.Source", "EventPattern.source"),
    "events:targetarn": ("Targets.Arn",),
    "iam:awsservicename": ("AWSServiceName",),
    "iam:permissionsboundary": ("PermissionsBoundary",),
    "iam:policyarn": ("PolicyArn",),
    "kms:encryptioncontextkeys": ("EncryptionContext",),
    "kms:signingalgorithm": ("SigningAlgorithm",),
    "kms:keyspec": ("KeySpec", "CustomerMasterKeySpec"),
    "kms:keyusage": ("KeyUsage",),
    "kms:messagetype": ("MessageType",),
    "lambda:functionarn": ("FunctionName",),
    "sagemaker:endpointconfigname": ("EndpointConfigName",),
    "sagemaker:instancetypes": (
        "ResourceConfig.InstanceType",
        "ResourceConfig.InstanceGroups.InstanceType",
        "ProcessingResources.ClusterConfig.InstanceType",
        "ProductionVariants.InstanceType",
        "TransformResources.InstanceType",
    ),
    "sagemaker:intercontainertrafficencryption": (
        "EnableInterContainerTrafficEncryption",
        "NetworkConfig.EnableInterContainerTrafficEncryption",
    ),
    "sagemaker:maxruntimeinseconds": ("StoppingCondition.MaxRuntimeInSeconds",),
    "sagemaker:modelapprovalstatus": ("ModelApprovalStatus",),
    "sagemaker:networkisolation": ("EnableNetworkIsolation", "NetworkConfig.EnableNetworkIsolation"),
    "sagemaker:outputkmskey": (
        "OutputDataConfig.KmsKeyId",
        "ProcessingOutputConfig.KmsKeyId",
        "TransformOutput.KmsKeyId",
    ),
    "sagemaker:volumekmskey": (
        "ResourceConfig.VolumeKmsKeyId",
        "ProcessingResources.ClusterConfig.VolumeKmsKeyId",
        "TransformResources.VolumeKmsKeyId",
        "KmsKeyId",
    ),
    "sagemaker:vpcsecuritygroupids": ("VpcConfig.SecurityGroupIds", "NetworkConfig.VpcConfig.SecurityGroupIds"),
    "sagemaker:vpcsubnets": ("VpcConfig.Subnets", "NetworkConfig.VpcConfig.Subnets"),
    "sns:protocol": ("Protocol",),
}
"""Condition keys that repeat a member of the request."""
_COMPUTED: Final = frozenset(
    {
        "aws:currenttime",
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalisawsservice",
        "aws:principaltype",
        "aws:requestedregion",
        "aws:resourceaccount",
        "aws:securetransport",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:tagkeys",
        "aws:viaawsservice",
        "iam:passedtoservice",
        "iam:associatedresourcearn",
        "kms:calleraccount",
        "kms:grantisforawsresource",
        "kms:requestalias",
        "kms:viaservice",
        "s3:resourceaccount",
        "s3:tlsversion",
        "sts:externalid",
        *(f"s3:{header}" for header in _S3_HEADERS),
        *_S3_QUERY,
    }
)
_FAMILIES: Final = (
    "aws:principaltag/",
    "aws:requesttag/",
    "kms:encryptioncontext:",
    "aws:resourcetag/",
    "iam:resourcetag/",
)
_TAGS: Final = ("Tags", "tags", "Tag", "TagSpecifications", "TagSpecification", "ResourceTags")
_FEDERATED: Final = re.compile(r"[a-z0-9.-]+\.[a-z]+(/[^:]*)?:(aud|sub|[a-z_]+)")


def derived(key: str) -> bool:
    """Whether the rehearsal knows the condition key, or knows that it never has it."""
    folded = key.lower()
    return (
        folded in _COMPUTED | _MEMBERS.keys() | UNKNOWABLE
        or folded.startswith(_FAMILIES)
        or _FEDERATED.fullmatch(folded) is not None
    )


def of_caller(principal: Principal, region: str) -> dict[str, Value]:
    """What every call carries. The loopback counts as TLS: nothing leaves the machine."""
    return {
        "aws:currenttime": datetime.datetime.now(tz=datetime.UTC).isoformat(),
        "aws:principalaccount": principal.account_id or None,
        "aws:principalarn": principal.names[-1] if principal.names else None,
        "aws:principalisawsservice": str(principal.kind == "Service").lower(),
        "aws:principaltype": principal.kind,
        "aws:requestedregion": region,
        "aws:securetransport": "true",
        "aws:viaawsservice": "false",
        "s3:tlsversion": "1.3",
        **{f"aws:principaltag/{key.lower()}": value for key, value in principal.tags.items()},
    }


def of_request(service: str, parameters: Mapping[str, Any], headers: Mapping[str, str]) -> dict[str, Value]:
    """What the parameters and headers of a call say."""
    found: dict[str, Value] = {}
    for key, paths in _MEMBERS.items():
        if key.partition(":")[0] == service:
            values = next((values for path in paths if (values := _at(parameters, path))), ())
            found[key] = values or None
    if service == "s3":
        found |= {f"s3:{header}": headers.get(header) for header in _S3_HEADERS}
        found |= {key: _text(parameters.get(member)) for key, member in _S3_QUERY.items()}
    if service == "kms":
        found |= _encryption_context(parameters)
        named = str(parameters.get("KeyId")).rpartition(":")[2]
        found["kms:requestalias"] = named if named.startswith("alias/") else None
    if service == "sts":
        found["sts:externalid"] = _text(parameters.get("ExternalId"))
    return found | _tags(parameters)


def of_encryption(encryption: Mapping[str, str]) -> dict[str, Value]:
    """The keys of an encryption context."""
    values: dict[str, Value] = {f"kms:encryptioncontext:{name.lower()}": value for name, value in encryption.items()}
    return values | {"kms:encryptioncontextkeys": tuple(encryption) or None}


def _encryption_context(parameters: Mapping[str, Any]) -> dict[str, Value]:
    return of_encryption(cast("Mapping[str, str]", parameters.get("EncryptionContext") or {}))


def _tags(parameters: Mapping[str, Any]) -> dict[str, Value]:
    tags = dict(_pairs(parameters))
    keys = tags or dict.fromkeys(cast("list[str]", parameters.get("TagKeys") or []), "")
    found: dict[str, Value] = {f"aws:requesttag/{key.lower()}": value for key, value in tags.items()}
    return found | {"aws:tagkeys": tuple(keys) or None}


def _pairs(parameters: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The tags of a request, in any of the forms that the services have for them."""
    named = [parameters[name] for name in _TAGS if name in parameters]
    tags: Any = named[0] if named else []
    if isinstance(tags, dict):
        return [(str(key), str(value)) for key, value in cast("dict[str, Any]", tags).items()]
    pairs: list[tuple[str, str]] = []
    for tag in cast("list[dict[str, Any]]", tags or []):
        if tag.get("Tags"):
            pairs += _pairs(tag)
        else:
            folded = {name.lower(): value for name, value in tag.items()}
            name = folded.get("key", folded.get("tagkey"))
            pairs += [(str(name), str(folded.get("value", folded.get("tagvalue", ""))))] if name is not None else []
    return pairs


def _at(value: Any, path: str) -> tuple[str, ...]:
    name, _, rest = path.partition(".")
    if isinstance(value, list):
        return tuple(text for entry in cast("list[Any]", value) for text in _at(entry, path))
    if not isinstance(value, Mapping) or name not in value:
        return ()
    inner = cast("Mapping[str, Any]", value)[name]
    if rest:
        return _at(inner, rest)
    entries = cast("list[Any]", inner) if isinstance(inner, list) else [inner]
    return tuple(text for entry in entries if (text := _text(entry)) is not None)


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)
