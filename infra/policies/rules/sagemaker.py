"""Models, endpoints and the registry.

Serverless inference takes no VPC, network isolation, data capture or deployment guardrails
(https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html), so a variant's rules leave it out; a model
does not say what it is served on, so a stack that serves without instances exempts its models.
"""

from typing import Any

from infra.policies.checks import all_of, each_item, is_true, no_statement, present
from infra.policies.resources import Properties, Resource, Stack
from infra.policies.rule import REMOVED, Check, ResourceRule, Rule, Severity, StackRule
from infra.policies.sources import Source, aws_docs, ml_lens, security_hub

_MODEL = ("aws:sagemaker/model:Model",)
_CONFIGURATION = ("aws:sagemaker/endpointConfiguration:EndpointConfiguration",)
_ENDPOINT = ("aws:sagemaker/endpoint:Endpoint",)
_GROUP_POLICY = ("aws:sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy",)
_DIGEST = "111111111111.dkr.ecr.eu-west-1.amazonaws.com/serving@sha256:" + "0" * 64
_GOOD_MODEL = {
    "enableNetworkIsolation": True,
    "executionRoleArn": "arn:aws:iam::111111111111:role/endpoint",
    "vpcConfig": {"subnets": ["subnet-1", "subnet-2"], "securityGroupIds": ["sg-1"]},
    "primaryContainer": {"image": _DIGEST, "modelDataUrl": "s3://artifacts/model.tar.gz"},
}
_CAPTURE = {"enableCapture": True, "destinationS3Uri": "s3://capture/", "kmsKeyId": "key"}
_VARIANT = {"variantName": "main", "instanceType": "ml.m5.large", "initialInstanceCount": 2}
_GOOD_CONFIGURATION = {"kmsKeyArn": "key", "productionVariants": [_VARIANT], "dataCaptureConfig": _CAPTURE}
_ANSWERS = {"s3OutputPath": "s3://capture/answers/", "s3FailurePath": "s3://capture/failures/", "kmsKeyId": "key"}
_ROLLBACK = {"alarms": [{"alarmName": "errors"}]}
_DEPLOYMENT = {
    "autoRollbackConfiguration": _ROLLBACK,
    "blueGreenUpdatePolicy": {"trafficRoutingConfiguration": {"type": "CANARY"}},
}
_GROUP = {
    "resourcePolicy": {
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::222222222222:root"},
                "Action": "sagemaker:CreateModel",
            }
        ]
    }
}


def _pinned(properties: Properties) -> str | None:
    containers = ["primaryContainer", *(f"containers.{each}" for each in range(len(properties.items("containers"))))]
    images = [(path, properties.at(f"{path}.image")) for path in containers]
    loose = [(path, image) for path, image in images if image and "@sha256:" not in image]
    return f"{loose[0][0]}.image is {loose[0][1]!r}; right is an image by its digest (@sha256:…)" if loose else None


def _instances(variant: Any) -> str | None:
    if variant.get("serverlessConfig"):
        return None
    count = variant.get("initialInstanceCount")
    return None if count is not None and float(count) > 1 else f"initialInstanceCount is {count}; right is 2 or more"


def _on_instances(configuration: Resource) -> bool:
    variants: Any = Properties(configuration).items("productionVariants")
    return any(not each.get("serverlessConfig") for each in variants)


def _served_on_instances(endpoint: Resource, stack: Stack) -> bool:
    """Whether the endpoint's configuration is on instances; a configuration that is not found counts as such."""
    # Pulumi names configurations, so that before they exist they are told apart by nothing but there being one.
    name = endpoint.properties.get("endpointConfigName")
    configurations = stack.of(*_CONFIGURATION)
    found = [each for each in configurations if each.properties.get("name") == name and name is not None]
    return any(_on_instances(each) for each in found or configurations) or not configurations


def _rolls_back(endpoint: Resource, stack: Stack) -> str | None:
    if not _served_on_instances(endpoint, stack):
        return None
    alarms = Properties(endpoint).items("deploymentConfig.autoRollbackConfiguration.alarms")
    return None if alarms else "deploymentConfig.autoRollbackConfiguration.alarms is not set"


def _shifts_gradually(endpoint: Resource, stack: Stack) -> str | None:
    if not _served_on_instances(endpoint, stack):
        return None
    properties = Properties(endpoint)
    policies = ("deploymentConfig.blueGreenUpdatePolicy", "deploymentConfig.rollingUpdatePolicy")
    return None if any(properties.at(each) for each in policies) else "deploymentConfig has no update policy"


def _endpoint(deployment: dict[str, Any], **variant: Any) -> tuple[Resource, ...]:
    configuration = {"name": "cars", "productionVariants": [{**_VARIANT, **variant}]}
    return (
        Resource(
            type=_ENDPOINT[0], name="cars", properties={"endpointConfigName": "cars", "deploymentConfig": deployment}
        ),
        Resource(type=_CONFIGURATION[0], name="cars", properties=configuration),
    )


def sagemaker_rule(
    id_: str,
    title: str,
    severity: Severity,
    types: tuple[str, ...],
    check: Check,
    passing: dict[str, Any],
    broken: dict[str, Any],
    *sources: Source,
) -> Rule:
    """A rule over one resource; `broken` is the change to `passing` that it must find."""
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
    sagemaker_rule(
        "sagemaker-model-isolated",
        "A model's container reaches no network",
        "medium",
        _MODEL,
        is_true("enableNetworkIsolation"),
        _GOOD_MODEL,
        {"enableNetworkIsolation": False},
        security_hub("SageMaker.5"),
        ml_lens("MLSEC03-BP02"),
    ),
    sagemaker_rule(
        "sagemaker-model-vpc",
        "A model is served from subnets of one's own",
        "medium",
        _MODEL,
        all_of(present("vpcConfig.subnets"), present("vpcConfig.securityGroupIds")),
        _GOOD_MODEL,
        {"vpcConfig": REMOVED},
        aws_docs("Hosting in a VPC", "sagemaker/latest/dg/host-vpc.html"),
        ml_lens("MLSEC04-BP01"),
    ),
    sagemaker_rule(
        "sagemaker-model-digest",
        "A model's image is named by its digest",
        "medium",
        _MODEL,
        _pinned,
        _GOOD_MODEL,
        {"primaryContainer": {"image": _DIGEST.split("@", maxsplit=1)[0] + ":latest"}},
        ml_lens("MLREL06-BP02"),
    ),
    sagemaker_rule(
        "sagemaker-instances",
        "An endpoint survives the loss of an instance",
        "medium",
        _CONFIGURATION,
        each_item("productionVariants", _instances),
        _GOOD_CONFIGURATION,
        {"productionVariants": [{**_VARIANT, "initialInstanceCount": 1}]},
        security_hub("SageMaker.4"),
    ),
    sagemaker_rule(
        "sagemaker-volume-encrypted",
        "What an endpoint's volumes hold is encrypted with a key of one's own",
        "medium",
        _CONFIGURATION,
        present("kmsKeyArn"),
        _GOOD_CONFIGURATION,
        {"kmsKeyArn": REMOVED},
        aws_docs("Encryption at rest", "sagemaker/latest/dg/encryption-at-rest.html"),
        ml_lens("MLSEC02-BP01"),
    ),
    sagemaker_rule(
        "sagemaker-capture-encrypted",
        "Captured requests are encrypted with a key of one's own",
        "high",
        _CONFIGURATION,
        lambda properties: (
            present("dataCaptureConfig.kmsKeyId")(properties) if properties.at("dataCaptureConfig") else None
        ),
        _GOOD_CONFIGURATION,
        {"dataCaptureConfig": {**_CAPTURE, "kmsKeyId": None}},
        aws_docs("Capturing data", "sagemaker/latest/dg/model-monitor-data-capture-endpoint.html"),
        ml_lens("MLSEC03-BP03"),
    ),
    sagemaker_rule(
        "sagemaker-async-answers",
        "An asynchronous endpoint encrypts its answers with a key of one's own and says where failures go",
        "medium",
        _CONFIGURATION,
        lambda properties: (
            all_of(*(present(f"asyncInferenceConfig.outputConfig.{each}") for each in ("kmsKeyId", "s3FailurePath")))(
                properties
            )
            if properties.at("asyncInferenceConfig")
            else None
        ),
        {**_GOOD_CONFIGURATION, "asyncInferenceConfig": {"outputConfig": _ANSWERS}},
        {"asyncInferenceConfig": {"outputConfig": {**_ANSWERS, "s3FailurePath": None}}},
        aws_docs("Asynchronous inference", "sagemaker/latest/dg/async-inference-create-endpoint.html"),
        ml_lens("MLSEC02-BP01"),
    ),
    StackRule(
        id="sagemaker-endpoint-rollback",
        title="A release that raises an alarm is rolled back",
        sources=(
            aws_docs("Auto-rollback", "sagemaker/latest/dg/deployment-guardrails-configuration.html"),
            ml_lens("MLREL05-BP02"),
        ),
        severity="high",
        types=_ENDPOINT,
        relation=_rolls_back,
        passing=_endpoint(_DEPLOYMENT),
        failing=_endpoint({**_DEPLOYMENT, "autoRollbackConfiguration": {"alarms": []}}),
    ),
    StackRule(
        id="sagemaker-endpoint-gradual",
        title="Traffic moves to a release by a policy, with the previous fleet still there",
        sources=(
            aws_docs("Deployment guardrails", "sagemaker/latest/dg/deployment-guardrails.html"),
            ml_lens("MLREL05-BP02"),
        ),
        severity="medium",
        types=_ENDPOINT,
        relation=_shifts_gradually,
        passing=_endpoint(_DEPLOYMENT),
        failing=_endpoint({"autoRollbackConfiguration": _ROLLBACK}),
    ),
    sagemaker_rule(
        "sagemaker-registry-not-public",
        "A group of model packages is open to nobody unknown",
        "critical",
        _GROUP_POLICY,
        no_statement(["resourcePolicy"], lambda each: each.public, "allows everyone"),
        _GROUP,
        {"resourcePolicy": {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sagemaker:CreateModel"}]}},
        ml_lens("MLSEC06-BP01"),
    ),
)
