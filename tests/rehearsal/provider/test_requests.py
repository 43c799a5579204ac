"""A request is checked, then sent; what is gone is None, every other refusal is an error."""

import pytest
from botocore.exceptions import ClientError

from rehearsal.provider.aws_clients import EnvironmentClients
from rehearsal.provider.requests import ask, input_shape, is_gone, output_shape, send
from rehearsal.provider.validation import InvalidRequestError


def test_what_is_gone_is_none(aws: EnvironmentClients) -> None:
    assert ask(aws, "glue", "GetJob", {"JobName": "none"}) is None
    assert ask(aws, "sagemaker", "DescribeModel", {"ModelName": "none"}) is None
    assert ask(aws, "athena", "GetWorkGroup", {"WorkGroup": "none"}) is None


def test_any_other_refusal_is_an_error(aws: EnvironmentClients) -> None:
    send(aws, "logs", "CreateLogGroup", {"logGroupName": "twice"})
    with pytest.raises(ClientError, match="AlreadyExists"):
        ask(aws, "logs", "CreateLogGroup", {"logGroupName": "twice"})


def test_a_wrong_request_is_not_sent(aws: EnvironmentClients) -> None:
    with pytest.raises(InvalidRequestError, match="glue:GetJob would be refused by AWS: JobName: required"):
        send(aws, "glue", "GetJob", {})


@pytest.mark.parametrize(
    ("code", "message", "gone"),
    [
        ("EntityNotFoundException", "", True),
        ("StateMachineDoesNotExist", "", True),
        ("ValidationException", "Could not find endpoint 'e'.", True),
        ("ValidationException", "No scaling policy found for service namespace", True),
        ("ValidationException", "1 validation error detected", False),
        ("AccessDeniedException", "not authorized", False),
    ],
)
def test_each_service_says_gone_in_its_own_words(code: str, message: str, gone: bool) -> None:
    assert is_gone(ClientError({"Error": {"Code": code, "Message": message}}, "Describe")) is gone


def test_shapes_are_those_of_the_service_model(aws: EnvironmentClients) -> None:
    assert "JobName" in input_shape(aws, "glue", "GetJob").members
    assert "Job" in output_shape(aws, "glue", "GetJob").members
