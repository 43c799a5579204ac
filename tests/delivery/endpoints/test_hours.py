from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws
from pydantic import ValidationError

from delivery.endpoints.hours import close, is_open, reopen
from infra.settings import EndpointSettings, HoursSettings

HOURS = HoursSettings(opens="07:00", closes="20:00", timezone="Europe/Dublin")
LATER = datetime.now(UTC) + timedelta(days=1)
NAME = "drivetrain-staging-mpg"
SCALED = f"endpoint/{NAME}/variant/main"
PARENT = "urn:pulumi:staging::drivetrain::drivetrain:model:Endpoint::mpg"
DIMENSION = "sagemaker:variant:DesiredInstanceCount"
PLACE = {"serviceNamespace": "sagemaker", "resourceId": SCALED, "scalableDimension": DIMENSION}


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-20T07:00:00+00:00", True),  # a Friday in winter: Dublin is on UTC
        ("2026-11-20T06:59:00+00:00", False),
        ("2026-11-20T20:00:00+00:00", False),
        ("2026-11-21T12:00:00+00:00", False),
        ("2026-07-20T06:00:00+00:00", True),  # a Monday in summer: an hour ahead
        ("2026-07-20T19:30:00+00:00", False),
        ("2026-07-20T06:00:00+02:00", False),
    ],
)
def test_the_hours_are_those_of_their_time_zone(moment: str, expected: bool) -> None:
    assert is_open(HOURS, datetime.fromisoformat(moment)) is expected


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"opens": "7:00"}, "opens"),
        ({"closes": "25:00"}, "closes"),
        ({"closes": "06:00"}, r"opens \(07:00\) must come before closes \(06:00\)"),
        ({"timezone": "Europe/Atlantis"}, "there is no time zone 'Europe/Atlantis'"),
        ({"days": []}, "days"),
    ],
)
def test_hours_that_cannot_be_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        HoursSettings.model_validate({**HOURS.model_dump(), **change})


def test_serverless_endpoints_have_no_hours() -> None:
    with pytest.raises(ValidationError, match="serverless endpoints cost nothing while nobody asks"):
        EndpointSettings(mode="serverless", hours=HOURS)


def client(service: str) -> Any:
    make: Any = boto3.client
    return make(service, region_name="eu-west-1")


def register(sagemaker: Any) -> None:
    role = "arn:aws:iam::333333333333:role/serving"
    sagemaker.create_model(ModelName="m", ExecutionRoleArn=role, PrimaryContainer={"Image": "i"})
    variant = {
        "VariantName": "main",
        "ModelName": "m",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
        "InitialVariantWeight": 1.0,
    }
    sagemaker.create_endpoint_config(EndpointConfigName="c-2", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=NAME, EndpointConfigName="c-2")


@pytest.fixture
def aws() -> Iterator[Any]:
    with mock_aws():
        sagemaker = client("sagemaker")
        register(sagemaker)
        client("application-autoscaling").register_scalable_target(
            ServiceNamespace="sagemaker", ResourceId=SCALED, ScalableDimension=DIMENSION, MinCapacity=1, MaxCapacity=4
        )
        yield sagemaker


def state() -> dict[str, Any]:
    variant = {"variantName": "main", "modelName": "m", "instanceType": "ml.m5.large", "initialInstanceCount": 1}
    policy = {
        **PLACE,
        "name": "invocations-per-instance",
        "policyType": "TargetTrackingScaling",
        "targetTrackingScalingPolicyConfiguration": {
            "targetValue": 600,
            "predefinedMetricSpecification": {"predefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
            "scaleInCooldown": 300,
        },
    }
    configuration = {"name": "c-2", "productionVariants": [variant]}
    resources = [
        ("sagemaker/endpointConfiguration:EndpointConfiguration", "c-2", configuration),
        ("sagemaker/endpoint:Endpoint", NAME, {"name": NAME, "tagsAll": {"stack": "staging"}}),
        ("appautoscaling/target:Target", SCALED, {**PLACE, "minCapacity": 1, "maxCapacity": 4}),
        ("appautoscaling/policy:Policy", "p", policy),
    ]
    entries = [
        {
            "urn": f"urn:pulumi:staging::drivetrain::aws:{type_}::x",
            "type": f"aws:{type_}",
            "custom": True,
            "id": identifier,
            "parent": PARENT,
            "inputs": inputs,
            "outputs": inputs,
        }
        for type_, identifier, inputs in resources
    ]
    return {"version": 3, "deployment": {"resources": entries}}


@pytest.mark.slow
def test_an_endpoint_stops_and_is_made_again_as_it_was(aws: Any) -> None:
    scaling = client("application-autoscaling")
    assert close(client, [NAME, "never-made"], LATER).moved == (NAME,)
    assert aws.list_endpoints()["Endpoints"] == []
    assert scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"] == []
    assert aws.describe_endpoint_config(EndpointConfigName="c-2")
    assert close(client, [NAME], LATER).moved == ()

    assert reopen(client, [NAME], state(), wait_s=60).moved == (NAME,)
    live = aws.describe_endpoint(EndpointName=NAME)
    assert live["EndpointConfigName"] == "c-2"
    assert aws.list_tags(ResourceArn=live["EndpointArn"])["Tags"] == [{"Key": "stack", "Value": "staging"}]
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (target["ResourceId"], target["MinCapacity"], target["MaxCapacity"]) == (SCALED, 1, 4)
    (policy,) = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 600
    assert reopen(client, [NAME], state(), wait_s=60).moved == ()


@pytest.mark.slow
def test_one_that_is_never_scaled_stops_too(aws: Any) -> None:
    client("application-autoscaling").deregister_scalable_target(
        ServiceNamespace="sagemaker", ResourceId=SCALED, ScalableDimension=DIMENSION
    )
    assert close(client, [NAME], LATER).moved == (NAME,)


@pytest.mark.slow
def test_one_that_is_being_changed_is_left_for_the_next_time(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {**aws.describe_endpoint(EndpointName=NAME), "EndpointStatus": "Updating"}
    monkeypatch.setattr(aws, "describe_endpoint", lambda **_: answer)
    found = close(lambda service: aws if service == "sagemaker" else client(service), [NAME], LATER)
    assert (found.moved, found.busy) == ((), (NAME,))


@pytest.mark.slow
def test_one_that_was_deployed_just_now_is_left_for_the_next_time(aws: Any) -> None:
    found = close(client, [NAME], datetime.now(UTC) - timedelta(hours=2))
    assert (found.moved, found.busy) == ((), (NAME,))
    assert len(aws.list_endpoints()["Endpoints"]) == 1
