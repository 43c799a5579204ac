"""Lambda functions and EKS clusters, which a stack may come to declare."""

from typing import Any

from infra.policies.checks import not_one_of, one_of, present
from infra.policies.resources import Properties
from infra.policies.rule import REMOVED, Check, ResourceRule, Rule, Severity
from infra.policies.sources import Source, aws_docs, ml_lens, security_hub

_FUNCTION = ("aws:lambda/function:Function",)
_PERMISSION = ("aws:lambda/permission:Permission",)
_CLUSTER = ("aws:eks/cluster:Cluster",)
_GOOD_FUNCTION = {
    "runtime": "python3.13",
    "vpcConfig": {"subnetIds": ["subnet-1", "subnet-2"], "securityGroupIds": ["sg-1"]},
    "tracingConfig": {"mode": "Active"},
    "deadLetterConfig": {"targetArn": "queue"},
}
_GOOD_CLUSTER = {
    "vpcConfig": {"endpointPublicAccess": False, "subnetIds": ["subnet-1", "subnet-2"]},
    "encryptionConfig": {"provider": {"keyArn": "key"}, "resources": ["secrets"]},
    "enabledClusterLogTypes": ["api", "audit", "authenticator"],
    "deletionProtection": True,
}
# Past the end of their support at AWS. https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
_ENDED = ("python3.6", "python3.7", "python3.8", "python3.9", "nodejs14.x", "nodejs16.x", "nodejs18.x")


def _two_zones(properties: Properties) -> str | None:
    subnets = properties.items("vpcConfig.subnetIds")
    return None if len(subnets) >= 2 else f"vpcConfig.subnetIds has {len(subnets)}; right is 2 or more"


def _public_permission(properties: Properties) -> str | None:
    bound = [each for each in ("sourceAccount", "sourceArn", "principalOrgId") if properties.at(each)]
    return "principal is '*' with nothing that bounds it" if properties.at("principal") == "*" and not bound else None


def _audited(properties: Properties) -> str | None:
    types = properties.items("enabledClusterLogTypes")
    return None if "audit" in types else "enabledClusterLogTypes does not hold 'audit'"


def _private(properties: Properties) -> str | None:
    if properties.at("vpcConfig.endpointPublicAccess") is False:
        return None
    return "vpcConfig.endpointPublicAccess is not false, and AWS's default is true"


def _rule(
    id_: str,
    title: str,
    severity: Severity,
    types: tuple[str, ...],
    check: Check,
    broken: dict[str, Any],
    *sources: Source,
) -> Rule:
    passing: dict[str, Any] = _GOOD_CLUSTER if types == _CLUSTER else _GOOD_FUNCTION
    return ResourceRule(
        id=id_,
        title=title,
        sources=sources,
        severity=severity,
        types=types,
        check=check,
        passing=passing,
        broken_by=broken,
    )


RULES: tuple[Rule, ...] = (
    ResourceRule(
        id="lambda-not-public",
        title="Nobody unknown may call a function",
        sources=(security_hub("Lambda.1"),),
        severity="critical",
        types=_PERMISSION,
        check=_public_permission,
        passing={"principal": "events.amazonaws.com", "action": "lambda:InvokeFunction", "sourceArn": "rule"},
        broken_by={"principal": "*", "sourceArn": REMOVED},
    ),
    _rule(
        "lambda-supported-runtime",
        "A function runs on a runtime that AWS supports",
        "medium",
        _FUNCTION,
        not_one_of("runtime", *_ENDED),
        {"runtime": "python3.8"},
        security_hub("Lambda.2"),
    ),
    _rule(
        "lambda-vpc",
        "A function is in subnets of one's own",
        "low",
        _FUNCTION,
        present("vpcConfig.subnetIds"),
        {"vpcConfig": REMOVED},
        security_hub("Lambda.3"),
    ),
    _rule(
        "lambda-two-zones",
        "A function runs in more than one availability zone",
        "medium",
        _FUNCTION,
        _two_zones,
        {"vpcConfig": {"subnetIds": ["subnet-1"], "securityGroupIds": ["sg-1"]}},
        security_hub("Lambda.5"),
    ),
    _rule(
        "lambda-traced",
        "A function's calls can be traced",
        "low",
        _FUNCTION,
        one_of("tracingConfig.mode", "Active"),
        {"tracingConfig": {"mode": "PassThrough"}},
        security_hub("Lambda.7"),
    ),
    ResourceRule(
        id="lambda-url-authorized",
        title="A function's own address asks who is there",
        sources=(aws_docs("Function URLs", "lambda/latest/dg/urls-auth.html"), ml_lens("MLSEC06-BP01")),
        severity="critical",
        types=("aws:lambda/functionUrl:FunctionUrl",),
        check=one_of("authorizationType", "AWS_IAM"),
        passing={"functionName": "predict", "authorizationType": "AWS_IAM"},
        broken_by={"authorizationType": "NONE"},
    ),
    _rule(
        "eks-private",
        "A cluster's API is not on the internet",
        "high",
        _CLUSTER,
        _private,
        {"vpcConfig": {"endpointPublicAccess": True}},
        security_hub("EKS.1"),
    ),
    _rule(
        "eks-secrets-encrypted",
        "A cluster's secrets are encrypted with a KMS key",
        "medium",
        _CLUSTER,
        present("encryptionConfig.provider.keyArn"),
        {"encryptionConfig": REMOVED},
        security_hub("EKS.3"),
    ),
    _rule(
        "eks-audited",
        "A cluster logs who did what",
        "medium",
        _CLUSTER,
        _audited,
        {"enabledClusterLogTypes": ["api"]},
        security_hub("EKS.8"),
    ),
    ResourceRule(
        id="eks-node-no-remote-access",
        title="Nodes are not opened for SSH to everyone",
        sources=(
            aws_docs("Remote access", "eks/latest/APIReference/API_RemoteAccessConfig.html"),
            security_hub("EC2.53"),
        ),
        severity="high",
        types=("aws:eks/nodeGroup:NodeGroup",),
        check=lambda properties: (
            present("remoteAccess.sourceSecurityGroupIds")(properties)
            if properties.at("remoteAccess.ec2SshKey")
            else None
        ),
        passing={"remoteAccess": {"ec2SshKey": "ops", "sourceSecurityGroupIds": ["sg-1"]}},
        broken_by={"remoteAccess": {"ec2SshKey": "ops"}},
    ),
)
