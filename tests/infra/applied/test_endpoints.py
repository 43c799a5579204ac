"""The endpoint of a released model as AWS would show it: serverless in dev, on instances elsewhere; and it answers."""

import json
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
MODEL = "auto-mpg"
INSTANCES = {"local": (1, 4), "staging": (1, 4), "production": (2, 4)}
"""Least and most."""
on_instances = pytest.mark.parametrize("name", INSTANCES)


def described(stack: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """The endpoint, its configuration and the model of its one variant."""
    sagemaker = stack.client("sagemaker")
    endpoint = sagemaker.describe_endpoint(EndpointName=stack.names.endpoint(MODEL))
    configuration = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    (variant,) = configuration["ProductionVariants"]
    assert variant["VariantName"] == "main"
    return endpoint, configuration, sagemaker.describe_model(ModelName=variant["ModelName"])


def test_what_is_released_is_what_is_served(stack: Any) -> None:
    endpoint, _, model = described(stack)
    assert endpoint["EndpointStatus"] == "InService"
    container, release = model["PrimaryContainer"], stack.release
    assert (container["Image"], container["ModelDataUrl"]) == (release.image, release.artefact)
    assert container["Environment"] == {"MODEL_MANIFEST_SHA256": release.manifest_sha256, "RELEASE": release.package}
    assert model["ExecutionRoleArn"] == stack.names.role_arn(f"{MODEL}-endpoint")
    answer = stack.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=stack.names.endpoint(MODEL), ContentType="application/json", Body=b"[1]"
    )
    assert json.loads(answer["Body"].read()) == {"asked": [1], "model": "fixture", "release": release.package}


def test_dev_is_serverless_and_has_nothing_that_serverless_refuses(stacks: Any) -> None:
    endpoint, configuration, model = described(stacks["dev"])
    (variant,) = configuration["ProductionVariants"]
    assert variant["ServerlessConfig"] == {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    assert not variant.keys() & {"InstanceType", "InitialInstanceCount"}
    assert not configuration.keys() & {"DataCaptureConfig"}
    assert not model.get("VpcConfig")
    assert not model.get("EnableNetworkIsolation")
    assert not endpoint.get("LastDeploymentConfig")
    assert (
        stacks["dev"]
        .client("application-autoscaling")
        .describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
        == []
    )


@on_instances
def test_the_variant_has_as_many_instances_as_the_stack_demands(stacks: Any, name: str) -> None:
    _, configuration, _ = described(stacks[name])
    (variant,) = configuration["ProductionVariants"]
    assert (variant["InstanceType"], variant["InitialInstanceCount"]) == ("ml.m5.large", INSTANCES[name][0])
    assert "ServerlessConfig" not in variant


@on_instances
def test_volumes_and_captured_traffic_are_encrypted_with_the_stacks_key(stacks: Any, name: str) -> None:
    stack = stacks[name]
    _, configuration, _ = described(stack)
    alias = f"alias/{stack.names.prefix}-data"
    key = stack.client("kms").describe_key(KeyId=alias)["KeyMetadata"]["Arn"]
    assert configuration["KmsKeyId"] == key
    capture = configuration["DataCaptureConfig"]
    assert (capture["EnableCapture"], capture["InitialSamplingPercentage"]) == (True, 100)
    assert (capture["DestinationS3Uri"], capture["KmsKeyId"]) == (f"s3://{stack.names.bucket('capture')}/{MODEL}", key)
    assert {option["CaptureMode"] for option in capture["CaptureOptions"]} == {"Input", "Output"}
    assert capture["CaptureContentTypeHeader"]["JsonContentTypes"] == ["application/json"]


@on_instances
def test_the_model_is_isolated_in_the_stacks_own_network(stacks: Any, name: str) -> None:
    stack = stacks[name]
    _, _, model = described(stack)
    assert model["EnableNetworkIsolation"] is True
    ec2 = stack.client("ec2")
    (vpc,) = [vpc for vpc in ec2.describe_vpcs()["Vpcs"] if not vpc["IsDefault"]]
    in_vpc = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
    subnets = {subnet["SubnetId"] for subnet in ec2.describe_subnets(Filters=in_vpc)["Subnets"]}
    assert set(model["VpcConfig"]["Subnets"]) == subnets
    (group,) = ec2.describe_security_groups(GroupIds=model["VpcConfig"]["SecurityGroupIds"])["SecurityGroups"]
    assert group["VpcId"] == vpc["VpcId"]
    assert group["GroupName"] != "default"


@on_instances
def test_a_release_moves_in_under_watch_of_alarms_that_exist(stacks: Any, name: str) -> None:
    stack = stacks[name]
    endpoint, _, _ = described(stack)
    deployment = endpoint["LastDeploymentConfig"]
    watching = {alarm["AlarmName"] for alarm in deployment["AutoRollbackConfiguration"]["Alarms"]}
    physical = stack.names.endpoint(MODEL)
    assert watching == {f"{physical}-update-{suffix}" for suffix in ("server-errors", "latency", "error-rate")}
    alarms = stack.client("cloudwatch").describe_alarms(AlarmNames=sorted(watching))["MetricAlarms"]
    assert {alarm["AlarmName"] for alarm in alarms} == watching
    (latency,) = (alarm for alarm in alarms if alarm["AlarmName"].endswith("latency"))
    dimensions = {each["Name"]: each["Value"] for each in latency["Dimensions"]}
    assert dimensions["EndpointConfigName"] == endpoint["EndpointConfigName"], "the new fleet alone is watched"
    routing = deployment["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
    assert routing["WaitIntervalInSeconds"] > 0
    if INSTANCES[name][0] > 1:
        assert (routing["Type"], routing["CanarySize"]) == ("CANARY", {"Type": "CAPACITY_PERCENT", "Value": 50})
    else:
        assert routing["Type"] == "ALL_AT_ONCE"


@on_instances
def test_instances_follow_the_invocations(stacks: Any, name: str) -> None:
    stack = stacks[name]
    scaling = stack.client("application-autoscaling")
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert target["ResourceId"] == f"endpoint/{stack.names.endpoint(MODEL)}/variant/main"
    assert target["ScalableDimension"] == "sagemaker:variant:DesiredInstanceCount"
    assert (target["MinCapacity"], target["MaxCapacity"]) == INSTANCES[name]
    (policy,) = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert (policy["ResourceId"], policy["PolicyType"]) == (target["ResourceId"], "TargetTrackingScaling")
    tracking = policy["TargetTrackingScalingPolicyConfiguration"]
    assert tracking["TargetValue"] == 6000
    predefined = tracking["PredefinedMetricSpecification"]["PredefinedMetricType"]
    assert predefined == "SageMakerVariantInvocationsPerInstance"
