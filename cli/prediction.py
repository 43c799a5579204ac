"""Asking an endpoint, through `sagemaker-runtime InvokeEndpoint`, as every client on AWS does."""

import json
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from cli.connection import Connection
from models.spec import ModelSpec


class PredictionError(Exception):
    """The endpoint did not answer with a prediction; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What an endpoint predicted."""

    predictions: list[float]
    unit: str
    document: dict[str, Any]


def invoke(connection: Connection, spec: ModelSpec, body: bytes, content_type: str) -> Answer:
    """Send rows to the model's endpoint; PredictionError names row and field when it refuses them."""
    endpoint = connection.names.endpoint(spec.name)
    runtime = connection.client("sagemaker-runtime")
    try:
        answer = runtime.invoke_endpoint(
            EndpointName=endpoint, Body=body, ContentType=content_type, Accept="application/json"
        )
    except ClientError as error:
        raise PredictionError(_refusal(endpoint, error)) from error
    document: dict[str, Any] = json.loads(answer["Body"].read())
    return Answer(predictions=document["predictions"], unit=document.get("unit", ""), document=document)


def _refusal(endpoint: str, error: ClientError) -> str:
    """The model's own message where it gave one."""
    original = error.response.get("OriginalMessage")
    if original:
        try:
            return str(json.loads(str(original))["error"]["message"])
        except (ValueError, KeyError, TypeError):
            return str(original)
    message = str(error.response.get("Error", {}).get("Message", error))
    hint = "; a model gets its endpoint with its first release: drivetrain releases list" * ("not found" in message)
    return f"endpoint {endpoint}: {message}{hint}"
