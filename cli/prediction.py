"""Asking an endpoint as every client on AWS does: InvokeEndpoint, or InvokeEndpointAsync where it is asynchronous."""

import json
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from cli.connection import Connection
from delivery.endpoints.asynchronous import AsyncAsker
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
    if is_asynchronous(connection, spec):
        return _asynchronously(connection, spec, body, content_type)
    runtime = connection.client("sagemaker-runtime")
    try:
        answer = runtime.invoke_endpoint(
            EndpointName=endpoint, Body=body, ContentType=content_type, Accept="application/json"
        )
    except ClientError as error:
        raise PredictionError(_refusal(endpoint, error)) from error
    return _answer(answer["Body"].read())


def _asynchronously(connection: Connection, spec: ModelSpec, body: bytes, content_type: str) -> Answer:
    asker = async_asker(connection, spec)
    try:
        reply = asker.ask(body, content_type, "application/json")
    except ClientError as error:
        raise PredictionError(_refusal(asker.endpoint, error)) from error
    if reply.failed:
        raise PredictionError(_own_words(reply.body.decode(errors="replace")))
    return _answer(reply.body)


def is_asynchronous(connection: Connection, spec: ModelSpec) -> bool:
    """Whether the model's endpoint takes InvokeEndpointAsync only: one without instances never does."""
    return spec.serving.asynchronous is not None and connection.settings.endpoint.mode == "instance"


def async_asker(connection: Connection, spec: ModelSpec) -> AsyncAsker:
    """Who asks the model's asynchronous endpoint."""
    return AsyncAsker(
        runtime=connection.client("sagemaker-runtime"),
        s3=connection.client("s3"),
        endpoint=connection.names.endpoint(spec.name),
        bucket=connection.names.bucket("capture"),
        model=spec.name,
    )


def _answer(body: bytes) -> Answer:
    document: dict[str, Any] = json.loads(body)
    return Answer(predictions=document["predictions"], unit=document.get("unit", ""), document=document)


def _own_words(text: str) -> str:
    """The container's own message, out of its error answer."""
    try:
        return str(json.loads(text)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return text


def _refusal(endpoint: str, error: ClientError) -> str:
    """The model's own message where it gave one."""
    original = error.response.get("OriginalMessage")
    if original:
        return _own_words(str(original))
    message = str(error.response.get("Error", {}).get("Message", error))
    hint = "; a model gets its endpoint with its first release: drivetrain releases list" * ("not found" in message)
    return f"endpoint {endpoint}: {message}{hint}"
