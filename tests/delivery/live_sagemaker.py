"""A SageMaker and a CloudWatch that hold what a test puts into them."""

import datetime
from typing import Any

from botocore.exceptions import ClientError

from models.release import Release

NOW = datetime.datetime(2026, 11, 21, 12, 0, tzinfo=datetime.UTC)
ENDPOINT = "drivetrain-production-auto-mpg"
DIGEST = f"sha256:{'a' * 64}"
TAGS = [{"Key": "project", "Value": "drivetrain"}, {"Key": "stack", "Value": "production"}]
RELEASE = Release(
    package="arn:aws:sagemaker:eu-west-1:444444444444:model-package/drivetrain-production-auto-mpg/1",
    artefact="s3://artifacts/models/auto-mpg/1/model.tar.gz",
    artefact_sha256="b" * 64,
    manifest_sha256="c" * 64,
    image=f"444444444444.dkr.ecr.eu-west-1.amazonaws.com/serving@{DIGEST}",
    snapshot="1",
    commit="0" * 40,
    metrics={},
)


def name(suffix: str) -> str:
    """A name as Pulumi gives it: seven hexadecimal digits behind."""
    return f"{ENDPOINT}-{suffix * 7}"


class SageMaker:
    """Endpoints, configurations and models by name."""

    def __init__(self) -> None:
        self.endpoints: dict[str, dict[str, Any]] = {}
        self.configurations: dict[str, dict[str, Any]] = {}
        self.models: dict[str, dict[str, Any]] = {}
        self.tags: dict[str, list[dict[str, str]]] = {}

    def add(self, suffix: str, release: Release = RELEASE, *, instances: int = 2) -> None:
        """A model of a release and its configuration, both called by the suffix."""
        self.models[name(suffix)] = {
            "PrimaryContainer": {
                "Image": release.image,
                "ModelDataUrl": release.artefact,
                "Environment": {"RELEASE": release.package, "MODEL_MANIFEST_SHA256": release.manifest_sha256},
            }
        }
        variant = {"VariantName": "main", "ModelName": name(suffix), "InstanceType": "ml.m5.large"}
        self.configurations[name(suffix)] = {
            "ProductionVariants": [{**variant, "InitialInstanceCount": instances, "InitialVariantWeight": 1.0}],
            "CreationTime": NOW,
        }
        self.tags[f"config:{name(suffix)}"] = self.tags[f"model:{name(suffix)}"] = TAGS

    def serve(self, suffix: str, *, instances: int = 2, **more: Any) -> None:
        """Put that configuration in service."""
        (variant,) = self.configurations[name(suffix)]["ProductionVariants"]
        image = self.models[variant["ModelName"]]["PrimaryContainer"]["Image"]
        alarms = [{"AlarmName": f"{ENDPOINT}-update-latency"}]
        self.endpoints[ENDPOINT] = {
            "EndpointStatus": "InService",
            "EndpointConfigName": name(suffix),
            "LastModifiedTime": NOW,
            "LastDeploymentConfig": {"AutoRollbackConfiguration": {"Alarms": alarms}},
            "ProductionVariants": [
                {
                    "VariantName": "main",
                    "CurrentWeight": 1.0,
                    "DesiredInstanceCount": instances,
                    "DeployedImages": [{"SpecifiedImage": image, "ResolvedImage": image}],
                }
            ],
            **more,
        }

    def describe_endpoint(self, EndpointName: str) -> dict[str, Any]:
        return _found(self.endpoints, EndpointName)

    def describe_endpoint_config(self, EndpointConfigName: str) -> dict[str, Any]:
        return _found(self.configurations, EndpointConfigName)

    def describe_model(self, ModelName: str) -> dict[str, Any]:
        return _found(self.models, ModelName)

    def delete_endpoint_config(self, EndpointConfigName: str) -> None:
        del self.configurations[EndpointConfigName]

    def delete_model(self, ModelName: str) -> None:
        del self.models[ModelName]

    def get_paginator(self, call: str) -> "_Pages":
        return _Pages(self, call)


class _Pages:
    def __init__(self, sagemaker: SageMaker, call: str) -> None:
        self._sagemaker, self._call = sagemaker, call

    def paginate(self, *, NameContains: str = "", ResourceArn: str = "") -> list[dict[str, Any]]:
        held = self._sagemaker
        if self._call == "list_tags":
            return [{"Tags": held.tags.get(ResourceArn, [])}]
        if self._call == "list_endpoints":
            return [{"Endpoints": [{"EndpointName": each} for each in held.endpoints if NameContains in each]}]
        if self._call == "list_models":
            found = [each for each in held.models if NameContains in each]
            return [{"Models": [{"ModelName": each, "ModelArn": f"model:{each}"} for each in found]}]
        found = [each for each in held.configurations if NameContains in each]
        entries = [{"EndpointConfigName": each, "EndpointConfigArn": f"config:{each}"} for each in found]
        return [{"EndpointConfigs": entries}]


class CloudWatch:
    """The history of alarms, and their states."""

    def __init__(self, history: list[dict[str, Any]] | None = None, standing: list[str] | None = None) -> None:
        self.history, self.standing = history or [], standing or []

    def describe_alarm_history(self, **asked: Any) -> dict[str, Any]:
        found = [item for item in self.history if item["AlarmName"] == asked["AlarmName"]]
        return {"AlarmHistoryItems": [item for item in found if item["Timestamp"] >= asked["StartDate"]]}

    def describe_alarms(self, AlarmNames: list[str]) -> dict[str, Any]:
        states = [(each, "ALARM" if each in self.standing else "OK") for each in AlarmNames]
        return {
            "MetricAlarms": [
                {"AlarmName": each, "StateValue": state, "StateReason": "stands", "StateUpdatedTimestamp": NOW}
                for each, state in states
            ]
        }


def state_of(suffix: str, *, endpoint: str = ENDPOINT, instances: int = 2, **variant: Any) -> dict[str, Any]:
    """An exported stack that declares the configuration of that suffix."""
    parent = "urn:pulumi:production::drivetrain::drivetrain:model:Endpoint::auto-mpg"
    plain = {"instanceType": "ml.m5.large", "initialInstanceCount": instances}
    wanted = {"variantName": "main", "modelName": name(suffix), "initialVariantWeight": 1.0, **(variant or plain)}
    outputs = {"name": name(suffix), "productionVariants": [wanted]}
    kind = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
    return {
        "version": 3,
        "deployment": {
            "resources": [
                {"urn": "stack", "type": "pulumi:pulumi:Stack"},
                {"urn": "m", "type": "aws:sagemaker/model:Model", "id": name(suffix), "parent": parent},
                {"urn": "c", "type": kind, "id": name(suffix), "parent": parent, "outputs": outputs},
                {
                    "urn": "e",
                    "type": "aws:sagemaker/endpoint:Endpoint",
                    "id": endpoint,
                    "parent": parent,
                    "inputs": {"name": endpoint, "endpointConfigName": name(suffix)},
                },
            ]
        },
    }


def _found(held: dict[str, dict[str, Any]], key: str) -> dict[str, Any]:
    if key not in held:
        told: Any = {"Error": {"Code": "ValidationException", "Message": f'Could not find "{key}".'}}
        raise ClientError(told, "Describe")
    return held[key]
