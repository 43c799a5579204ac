"""What AWS would refuse is refused here, whatever moto thinks of it."""

from typing import Any

import botocore.session
import pytest

from rehearsal.provider.validation import InvalidRequestError, check_request

ARN = "arn:aws:sagemaker:eu-west-1:111111111111:model/m"
SESSION = botocore.session.get_session()
RULE: dict[str, Any] = {"Name": "rule", "ScheduleExpression": "rate(1 day)"}
VARIANT: dict[str, Any] = {"VariantName": "live", "ModelName": "m", "InstanceType": "ml.m5.large"}


def refused(service: str, operation: str, params: dict[str, Any]) -> list[str]:
    try:
        check_request(SESSION.get_service_model(service).operation_model(operation), params)
    except InvalidRequestError as error:
        return error.problems
    return []


@pytest.mark.parametrize(
    ("service", "operation", "params", "problem"),
    [
        ("events", "PutRule", {**RULE, "State": "ON"}, "State: 'ON' is none of ENABLED, DISABLED"),
        ("events", "PutRule", {"ScheduleExpression": "rate(1 day)"}, "Name: required"),
        ("events", "PutRule", {**RULE, "Name": "no spaces"}, "Name: 'no spaces' does not match"),
        ("events", "PutRule", {**RULE, "Name": "n" * 65}, "Name: 65 characters, at most 64 allowed"),
        ("events", "PutRule", {**RULE, "Nmae": "x"}, "Nmae: unknown, known are Description"),
        ("events", "PutRule", {**RULE, "Description": 3}, "Description: 3 is no string"),
        ("events", "PutRule", [], "[] is no structure"),
        ("glue", "CreateJob", {"Name": "j", "Role": "r", "Command": {}, "Timeout": 0}, "Timeout: 0, at least 1 needed"),
        ("glue", "CreateJob", {"Name": "j", "Role": "r", "Command": {}, "Timeout": 1.5}, "1.5 is no whole number"),
        ("glue", "CreateJob", {"Name": "j", "Role": "r", "Command": {}, "Timeout": True}, "True is no number"),
        ("glue", "CreateJob", {"Name": "j", "Role": "r", "Command": {}, "Tags": ["x"]}, "Tags: ['x'] is no map"),
        (
            "sagemaker",
            "CreateEndpointConfig",
            {"EndpointConfigName": "c", "ProductionVariants": []},
            "ProductionVariants: 0 items, at least 1 needed",
        ),
        (
            "sagemaker",
            "CreateEndpointConfig",
            {"EndpointConfigName": "c", "ProductionVariants": [{**VARIANT, "InstanceType": "ml.huge"}]},
            "ProductionVariants[0].InstanceType: 'ml.huge' is none of",
        ),
        (
            "sagemaker",
            "CreateEndpointConfig",
            {"EndpointConfigName": "c", "ProductionVariants": [{**VARIANT, "EnableSSMAccess": "yes"}]},
            "ProductionVariants[0].EnableSSMAccess: 'yes' is no boolean",
        ),
        (
            "sagemaker",
            "CreateEndpointConfig",
            {"EndpointConfigName": "c" * 64, "ProductionVariants": [VARIANT]},
            "EndpointConfigName: 64 characters, at most 63 allowed",
        ),
        ("sagemaker", "ListTags", {"ResourceArn": "bucket"}, "ResourceArn: 'bucket' does not match arn:"),
    ],
)
def test_what_aws_would_refuse(service: str, operation: str, params: Any, problem: str) -> None:
    assert any(problem in line for line in refused(service, operation, params)), refused(service, operation, params)


@pytest.mark.parametrize(
    ("service", "operation", "params"),
    [
        ("events", "PutRule", RULE),
        ("sagemaker", "CreateEndpointConfig", {"EndpointConfigName": "c", "ProductionVariants": [VARIANT]}),
        ("athena", "CreateNamedQuery", {"Name": "größe", "Database": "d", "QueryString": "SELECT 1"}),
        (
            "sagemaker",
            "AddTags",
            {
                "ResourceArn": ARN,
                "Tags": [{"Key": "Projekt Größe", "Value": "a/b=c+d@e"}],
            },
        ),
        ("glue", "CreateDatabase", {"DatabaseInput": {"Name": "raw", "Description": "as it came: ü, 数据, 🚗"}}),
    ],
)
def test_what_aws_would_accept(service: str, operation: str, params: dict[str, Any]) -> None:
    assert refused(service, operation, params) == []


def test_every_problem_is_named_at_once() -> None:
    problems = refused("events", "PutRule", {"Name": "no spaces", "State": "ON"})
    assert len(problems) == 2
