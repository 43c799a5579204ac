"""Between Step Functions' JSON and boto3's values: timestamps, bodies, binary members and the casing of AWS SDK tasks.

In an `aws-sdk` task parameters and answers are in PascalCase whatever the service's own casing, timestamps are ISO 8601
text; in the optimised integrations timestamps are milliseconds ("Call AWS services", "Learning to use AWS service SDK
integrations"). moto leaves both as boto3 has them, and fails when an answer holds a timestamp. A binary member of a
request or answer is base64, as in the service's own JSON, except one that is the whole body, which is text.
"""

import base64
import binascii
import datetime
import importlib
import json
from collections.abc import Callable
from typing import Any, cast

from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.response import StreamingBody

from rehearsal.aws.gaps import replace

NOTES = (
    "AWS SDK tasks take and give binary members (KMS: Message, Signature) as base64. AWS documents neither this nor "
    "another reading, so what depends on it has to hold for both: see ADR 13.",
)
_SERVICES = "moto.stepfunctions.parser.asl.component.state.exec.state_task.service"
_SDK_NAMES = {
    "athena": "Athena",
    "cloudwatch": "CloudWatch",
    "dynamodb": "DynamoDb",
    "ecr": "Ecr",
    "eventbridge": "EventBridge",
    "glue": "Glue",
    "kms": "Kms",
    "s3": "S3",
    "sagemaker": "SageMaker",
    "sfn": "Sfn",
    "sns": "Sns",
    "sqs": "Sqs",
}
_POLL_S = 0.2


def install() -> None:
    """Convert at the three places where values pass."""
    service = importlib.import_module(f"{_SERVICES}.state_task_service").StateTaskService
    if getattr(service, "rehearsed", False):
        return
    after = service._after_eval_execution

    def after_with_plain_values(self: Any, env: Any, *positional: Any, **named: Any) -> None:
        env.stack[-1] = plain(env.stack[-1], milliseconds)
        after(self, env, *positional, **named)

    replace(service, _after_eval_execution=after_with_plain_values, rehearsed=True)
    sdk = importlib.import_module(f"{_SERVICES}.state_task_service_aws_sdk")
    sdk._SERVICE_ERROR_NAMES.update(_SDK_NAMES)
    replace(sdk.StateTaskServiceAwsSdk, _eval_service_task=_sdk_task(sdk))
    callback = importlib.import_module(f"{_SERVICES}.state_task_service_callback")
    replace(callback, _DELAY_SECONDS_SYNC_CONDITION_CHECK=_POLL_S)


def _sdk_task(sdk: Any) -> Callable[..., None]:
    def evaluate(
        self: Any, env: Any, resource_runtime_part: Any, normalised_parameters: dict[str, Any], state_credentials: Any
    ) -> None:
        client = sdk.boto_client_for(
            service=self._get_boto_service_name(),
            region=resource_runtime_part.region,
            state_credentials=state_credentials,
        )
        method = self._get_boto_service_action()
        operation = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method])
        answer = getattr(client, method)(**to_boto(normalised_parameters, operation.input_shape))
        answer.pop("ResponseMetadata", None)
        env.stack.append(from_boto(answer, operation.output_shape))

    return evaluate


def to_boto(value: Any, shape: Shape | None) -> Any:
    """Parameters of an AWS SDK task as boto3 wants them: its casing, JSON text where text or bytes are expected."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        names = {_folded(name): name for name in shape.members}
        content = cast("dict[str, Any]", value)
        found = {names.get(_folded(name), name): entry for name, entry in content.items()}
        body = shape.serialization.get("payload")
        return {
            name: to_boto(_binary(entry, shape.members.get(name)) if name != body else entry, shape.members.get(name))
            for name, entry in found.items()
        }
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [to_boto(entry, shape.member) for entry in cast("list[Any]", value)]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {name: to_boto(entry, shape.value) for name, entry in cast("dict[str, Any]", value).items()}
    if shape is not None and shape.type_name in ("string", "blob") and isinstance(value, dict | list):
        return json.dumps(value, separators=(",", ":"))
    return value


def from_boto(value: Any, shape: Shape | None) -> Any:
    """An answer of boto3 as an AWS SDK task gives it."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        content = cast("dict[str, Any]", value)
        return {
            name[0].upper() + name[1:]: from_boto(entry, shape.members.get(name)) for name, entry in content.items()
        }
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [from_boto(entry, shape.member) for entry in cast("list[Any]", value)]
    if shape is not None and shape.type_name == "blob" and isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return plain(value, iso)


def _binary(value: Any, shape: Shape | None) -> Any:
    if shape is None or shape.type_name != "blob" or not isinstance(value, str):
        return value
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise ValueError(f"{value!r} is no base64, which a binary parameter has to be") from error


def plain(value: Any, moment: Callable[[datetime.datetime], object]) -> Any:
    """The value as JSON has it."""
    if isinstance(value, datetime.datetime):
        return moment(value)
    if isinstance(value, StreamingBody):
        return value.read().decode(errors="replace")
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, dict):
        return {name: plain(entry, moment) for name, entry in cast("dict[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [plain(entry, moment) for entry in cast("list[Any]", value)]
    return value


def milliseconds(moment: datetime.datetime) -> int:
    """Milliseconds since 1970."""
    return int(moment.timestamp() * 1000)


def iso(moment: datetime.datetime) -> str:
    """ISO 8601 in UTC, with a Z."""
    return moment.astimezone(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _folded(name: str) -> str:
    return name.replace("_", "").lower()
