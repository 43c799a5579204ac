"""One AWS call of a handler: checked against botocore's service model, then sent."""

import re
from collections.abc import Mapping
from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.model import OperationModel, StructureShape

from rehearsal.provider.handler import AwsClients
from rehearsal.provider.validation import check_request

# Error codes and messages by which the services say that a resource does not exist (each has its own way).
_GONE_CODE = re.compile(r"NotFound|DoesNotExist|NoSuch")
_GONE_MESSAGE = re.compile(
    r"could not find|does not exist|not found|no scal\w+ \w+ found|could not be found|was not found|cannot find", re.I
)


def operation_model(aws: AwsClients, service: str, operation: str) -> OperationModel:
    """botocore's description of `operation`, such as ("glue", "CreateJob")."""
    model: OperationModel = aws.client(service).meta.service_model.operation_model(operation)
    return model


def input_shape(aws: AwsClients, service: str, operation: str) -> StructureShape:
    """The request's shape; every operation used here has one."""
    shape = operation_model(aws, service, operation).input_shape
    assert isinstance(shape, StructureShape), operation  # noqa: S101 - a fact of the service model
    return shape


def output_shape(aws: AwsClients, service: str, operation: str) -> StructureShape:
    """The answer's shape; every operation read here has one."""
    shape = operation_model(aws, service, operation).output_shape
    assert isinstance(shape, StructureShape), operation  # noqa: S101 - a fact of the service model
    return shape


def send(aws: AwsClients, service: str, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of AWS; raises InvalidRequestError for what AWS would refuse, ClientError for what it does refuse."""
    check_request(operation_model(aws, service, operation), request)
    call: Any = getattr(aws.client(service), xform_name(operation))
    return call(**request)


def ask(aws: AwsClients, service: str, operation: str, request: Mapping[str, Any]) -> dict[str, Any] | None:
    """The answer of AWS, or None when what was asked for does not exist."""
    try:
        return send(aws, service, operation, request)
    except ClientError as error:
        if is_gone(error):
            return None
        raise


def is_gone(error: ClientError) -> bool:
    """Whether AWS says that the resource does not exist."""
    detail = error.response.get("Error", {})
    return bool(_GONE_CODE.search(detail.get("Code", "")) or _GONE_MESSAGE.search(detail.get("Message", "")))
