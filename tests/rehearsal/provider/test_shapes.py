"""Names and values between Pulumi's form and AWS's."""

from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest

from rehearsal.provider.shapes import Spelling, UnknownPropertyError, camel_case, from_aws, listed, mapped, to_aws

MODEL = botocore.session.get_session().get_service_model("sagemaker")
CONFIG: Any = MODEL.operation_model("CreateEndpointConfig").input_shape
SPELLING = Spelling(names={"routingConfigs": "RoutingConfig"}, single=frozenset({"routingConfigs"}))


@pytest.mark.parametrize(
    ("member", "name"),
    [
        ("KMSKeyId", "kmsKeyId"),
        ("VolumeSizeInGB", "volumeSizeInGb"),
        ("EnableSSMAccess", "enableSsmAccess"),
        ("DestinationS3Uri", "destinationS3Uri"),
        ("RoleARN", "roleArn"),
        ("OKActions", "okActions"),
        ("name", "name"),
    ],
)
def test_members_are_read_back_in_camel_case(member: str, name: str) -> None:
    assert camel_case(member) == name


def test_a_configuration_goes_there_and_back() -> None:
    properties: dict[str, Any] = {
        "endpointConfigName": "c",
        "productionVariants": [
            {
                "variantName": "live",
                "volumeSizeInGb": 4,
                "serverlessConfig": {"memorySizeInMb": 1024, "maxConcurrency": 2},
                "routingConfigs": [{"routingStrategy": "RANDOM"}],
            }
        ],
    }
    request = to_aws(CONFIG, properties, SPELLING)
    (variant,) = request["ProductionVariants"]
    assert variant["RoutingConfig"] == {"RoutingStrategy": "RANDOM"}
    assert variant["VolumeSizeInGB"] == 4
    assert from_aws(CONFIG, request, SPELLING) == properties


def test_numbers_and_text_take_the_type_that_the_model_has() -> None:
    variant = {"initialInstanceCount": 2.0, "initialVariantWeight": 1, "variantName": 7}
    request = to_aws(CONFIG.members["ProductionVariants"].member, variant, SPELLING)
    assert [type(request[name]) for name in ("InitialInstanceCount", "InitialVariantWeight", "VariantName")] == [
        int,
        float,
        str,
    ]


def test_a_property_that_has_no_place_is_an_error() -> None:
    with pytest.raises(UnknownPropertyError, match="'kmsKeyArn' has no place in the AWS shape CreateEndpointConfig"):
        to_aws(CONFIG, {"kmsKeyArn": "x"}, SPELLING)


def test_what_is_none_is_left_out_and_times_are_text() -> None:
    shape: Any = MODEL.operation_model("DescribeEndpointConfig").output_shape
    answer = {"CreationTime": datetime(2026, 1, 2, tzinfo=UTC), "KmsKeyId": None, "ResponseMetadata": {}}
    assert from_aws(shape, answer, SPELLING) == {"creationTime": "2026-01-02T00:00:00+00:00"}


def test_blocks_that_are_left_out_are_empty() -> None:
    assert (listed(None), mapped(None), listed([1]), mapped({"a": 1})) == ([], {}, [1], {"a": 1})


def test_a_name_that_is_spelt_otherwise_above_may_stand_as_it_is_below() -> None:
    policy: Any = botocore.session.get_session().get_service_model("application-autoscaling")
    shape = policy.operation_model("PutScalingPolicy").input_shape
    metric = {"metricName": "Backlog", "dimensions": [{"name": "EndpointName", "value": "cars"}]}
    properties = {
        "name": "backlog",
        "targetTrackingScalingPolicyConfiguration": {"targetValue": 3, "customizedMetricSpecification": metric},
    }
    request = to_aws(shape, properties, Spelling(names={"name": "PolicyName"}))
    assert request["PolicyName"] == "backlog"
    tracking = request["TargetTrackingScalingPolicyConfiguration"]
    assert tracking["CustomizedMetricSpecification"]["Dimensions"] == [{"Name": "EndpointName", "Value": "cars"}]
