"""What one model has in a stack: always a pipeline and a registry group, an endpoint only once it is released."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.platform import declare
from models.release import Release, write_releases

STACKS = ("local", "dev", "staging", "production")
ENDPOINT_TYPES = {
    "aws:sagemaker/model:Model",
    "aws:sagemaker/endpointConfiguration:EndpointConfiguration",
    "aws:sagemaker/endpoint:Endpoint",
    "aws:appautoscaling/target:Target",
    "aws:appautoscaling/policy:Policy",
}

_RELEASED: dict[str, Any] = {}
"""By stack: a run of the program takes a second, and it declares the same each time."""


def a_release(account: str = "111111111111") -> Release:
    digest = "c" * 64
    return Release(
        package=f"arn:aws:sagemaker:eu-west-1:{account}:model-package/drivetrain-auto-mpg/1",
        artefact="s3://artifacts/models/auto-mpg/job/output/model.tar.gz",
        artefact_sha256="a" * 64,
        manifest_sha256="b" * 64,
        image=f"{account}.dkr.ecr.eu-west-1.amazonaws.com/drivetrain-serving@sha256:{digest}",
        snapshot="9223372036854775807",
        commit="0123456",
        metrics={"mae": 1.9},
    )


@pytest.fixture
def released(
    tmp_path: Path, run_program: Callable[..., Any], config: Callable[..., dict[str, str]]
) -> Callable[..., Any]:
    """The program of a stack in which the model is released."""

    def declared_with_release(stack: str) -> Any:
        if stack not in _RELEASED:
            write_releases(tmp_path / f"{stack}.toml", {"auto-mpg": a_release()})
            _RELEASED[stack] = run_program(declare, config(stack, releases=str(tmp_path)), stack)
        return _RELEASED[stack]

    return declared_with_release


def test_a_model_has_one_role_per_job(program: Any) -> None:
    names = {role.inputs["name"].split("-", 2)[2] for role in program.of("aws:iam/role:Role")}
    jobs = ("ingest", "validate", "train", "evaluate", "pipeline", "events", "endpoint")
    assert {f"auto-mpg-{job}" for job in jobs} <= names


def test_nothing_released_means_no_endpoint(program: Any) -> None:
    assert not {resource.type for resource in program.resources} & ENDPOINT_TYPES


def test_every_role_of_a_model_has_one_policy_and_one_principal(program: Any) -> None:
    policies = {each.inputs["role"]: each.policy() for each in program.of("aws:iam/rolePolicy:RolePolicy")}
    for role in program.of("aws:iam/role:Role"):
        (trust,) = role.policy("assumeRolePolicy")["Statement"]
        assert isinstance(trust["Principal"]["Service"], str)
        assert policies[role.inputs["name"]]["Statement"], role.name


def test_policies_and_names_fit_iam_and_eventbridge(program: Any) -> None:
    for policy in program.of("aws:iam/rolePolicy:RolePolicy"):
        assert len(policy.inputs["policy"]) <= 10_240, policy.inputs["role"]
    named = [*program.of("aws:iam/role:Role"), *program.of("aws:cloudwatch/eventRule:EventRule")]
    assert all(len(resource.inputs["name"]) <= 64 for resource in named)


def test_a_job_writes_only_to_its_own_model(program: Any) -> None:
    model_policies = [
        each
        for each in program.of("aws:iam/rolePolicy:RolePolicy")
        if each.inputs["role"].split("-", 2)[2].startswith("auto-mpg-")
    ]
    assert len(model_policies) == 7
    for each in model_policies:
        for statement in each.policy()["Statement"]:
            if "s3:PutObject" in statement["Action"]:
                resources = statement["Resource"]
                for resource in [resources] if isinstance(resources, str) else resources:
                    assert "auto-mpg" in resource or "auto_mpg" in resource, f"{each.name} {statement['Sid']}"


@pytest.mark.parametrize("stack", STACKS)
def test_a_release_brings_the_endpoint_up_with_what_it_pins(released: Callable[..., Any], stack: str) -> None:
    program = released(stack)
    (model,) = program.of("aws:sagemaker/model:Model")
    release = a_release()
    assert model.inputs["primaryContainer"] == {
        "image": release.image,
        "modelDataUrl": release.artefact,
        "environment": {"MODEL_MANIFEST_SHA256": release.manifest_sha256, "RELEASE": release.package},
    }
    (endpoint,) = program.of("aws:sagemaker/endpoint:Endpoint")
    assert endpoint.inputs["name"] == f"drivetrain-{stack}-auto-mpg"


@pytest.mark.parametrize("stack", STACKS)
def test_what_cannot_be_changed_is_named_by_pulumi(released: Callable[..., Any], stack: str) -> None:
    program = released(stack)
    for type_ in ("aws:sagemaker/model:Model", "aws:sagemaker/endpointConfiguration:EndpointConfiguration"):
        (resource,) = program.of(type_)
        assert "name" not in resource.inputs
        assert "namePrefix" not in resource.inputs
        assert len(resource.name) + len("-1234567") <= 63


def test_production_serves_from_two_instances_isolated_encrypted_and_captured(released: Callable[..., Any]) -> None:
    program = released("production")
    (model,) = program.of("aws:sagemaker/model:Model")
    assert model.inputs["enableNetworkIsolation"] is True
    assert len(model.inputs["vpcConfig"]["subnets"]) >= 2
    assert len(model.inputs["vpcConfig"]["securityGroupIds"]) == 1
    (configuration,) = program.of("aws:sagemaker/endpointConfiguration:EndpointConfiguration")
    (variant,) = configuration.inputs["productionVariants"]
    assert variant["initialInstanceCount"] >= 2
    assert configuration.inputs["kmsKeyArn"]
    capture = configuration.inputs["dataCaptureConfig"]
    assert capture["destinationS3Uri"].endswith("-capture/auto-mpg")
    assert capture["kmsKeyId"] == configuration.inputs["kmsKeyArn"]
    assert [option["captureMode"] for option in capture["captureOptions"]] == ["Input", "Output"]


def test_production_updates_by_canary_and_rolls_back_on_its_alarms(released: Callable[..., Any]) -> None:
    program = released("production")
    (endpoint,) = program.of("aws:sagemaker/endpoint:Endpoint")
    deployment = endpoint.inputs["deploymentConfig"]
    routing = deployment["blueGreenUpdatePolicy"]["trafficRoutingConfiguration"]
    assert routing["type"] == "CANARY"
    assert 0 < routing["canarySize"]["value"] <= 50
    watched = {alarm["alarmName"] for alarm in deployment["autoRollbackConfiguration"]["alarms"]}
    declared = {alarm.inputs["name"] for alarm in program.of("aws:cloudwatch/metricAlarm:MetricAlarm")}
    assert len(watched) == 3
    assert watched <= declared


def test_serverless_leaves_out_what_sagemaker_refuses_there(released: Callable[..., Any]) -> None:
    program = released("dev")
    (model,) = program.of("aws:sagemaker/model:Model")
    assert model.inputs["enableNetworkIsolation"] is False
    assert "vpcConfig" not in model.inputs
    (configuration,) = program.of("aws:sagemaker/endpointConfiguration:EndpointConfiguration")
    (variant,) = configuration.inputs["productionVariants"]
    assert variant["serverlessConfig"] == {"maxConcurrency": 5, "memorySizeInMb": 2048}
    assert "instanceType" not in variant
    assert "dataCaptureConfig" not in configuration.inputs
    (endpoint,) = program.of("aws:sagemaker/endpoint:Endpoint")
    assert "deploymentConfig" not in endpoint.inputs
    assert not program.of("aws:appautoscaling/target:Target")


def test_instances_follow_the_invocations(released: Callable[..., Any]) -> None:
    program = released("production")
    (target,) = program.of("aws:appautoscaling/target:Target")
    assert target.inputs["resourceId"] == "endpoint/drivetrain-production-auto-mpg/variant/main"
    assert 2 <= target.inputs["minCapacity"] < target.inputs["maxCapacity"]
    (policy,) = program.of("aws:appautoscaling/policy:Policy")
    tracking = policy.inputs["targetTrackingScalingPolicyConfiguration"]
    assert tracking["predefinedMetricSpecification"] == {
        "predefinedMetricType": "SageMakerVariantInvocationsPerInstance"
    }
    assert tracking["scaleInCooldown"] > tracking["scaleOutCooldown"]


@pytest.mark.parametrize("stack", STACKS)
def test_every_alarm_says_what_missing_data_means_and_whom_it_tells(released: Callable[..., Any], stack: str) -> None:
    alarms = [
        alarm
        for alarm in released(stack).of("aws:cloudwatch/metricAlarm:MetricAlarm")
        if "auto-mpg" in alarm.inputs["name"]
    ]
    suffixes = {alarm.inputs["name"].split("auto-mpg-")[1] for alarm in alarms}
    assert suffixes >= {
        "pipeline-failed",
        "pipeline-timed-out",
        "dead-letters",
        "server-errors",
        "latency",
        "error-rate",
    }
    for alarm in alarms:
        assert alarm.inputs["treatMissingData"] in {"notBreaching", "breaching", "ignore", "missing"}
        assert alarm.inputs["alarmActions"]
        assert alarm.inputs["alarmDescription"]


@pytest.mark.parametrize("stack", STACKS)
def test_rollback_alarms_watch_the_newest_fleet_and_others_the_whole_endpoint(
    released: Callable[..., Any], stack: str
) -> None:
    alarms = [
        alarm.inputs
        for alarm in released(stack).of("aws:cloudwatch/metricAlarm:MetricAlarm")
        if alarm.inputs["name"].endswith("-latency")
    ]
    by_name = {alarm["name"]: set(alarm["dimensions"]) for alarm in alarms}
    whole = {"EndpointName", "VariantName"}
    expected = {f"drivetrain-{stack}-auto-mpg-latency": whole}
    if stack != "dev":
        expected[f"drivetrain-{stack}-auto-mpg-update-latency"] = whole | {"EndpointConfigName"}
    assert by_name == expected
