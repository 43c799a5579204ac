"""InvokeEndpoint reaches the serving process, in the place of moto's canned answer."""

import http.client
import time
from typing import Any

from moto.core.exceptions import ServiceException
from moto.sagemakerruntime.responses import SageMakerRuntimeResponse

from rehearsal.aws.cloudwatch.samples import publish_invocation
from rehearsal.aws.endpoints.fleet import Answer, Fleet
from rehearsal.aws.endpoints.registry import find
from rehearsal.aws.gaps import replace

PASSED_ON = ("Content-Type", "Accept", "X-Amzn-SageMaker-Custom-Attributes", "X-Amzn-SageMaker-Inference-Id")
_LARGEST_BODY = 25 * 2**20  # InvokeEndpoint: the body of a request has at most 25 MB
_MESSAGE_LENGTH = 2048


class ValidationError(ServiceException):
    """The request itself cannot be answered."""

    code = "ValidationError"


class ModelError(ServiceException):
    """The container answered with an error of its own; boto3 shows its status and text."""

    code = "ModelError"

    def __init__(self, *, endpoint: str, region: str, account_id: str, variant: str, status: int, text: str) -> None:
        group = f"/aws/sagemaker/Endpoints/{endpoint}"
        where = "client error" if status < 500 else "server error"
        super().__init__(
            f"Received {where} ({status}) from {variant} with message {text!r}. "
            f"See {group} in account {account_id} for more information."
        )
        self.original_status_code = self.OriginalStatusCode = status
        self.original_message = self.OriginalMessage = text
        self.log_stream_arn = self.LogStreamArn = f"arn:aws:logs:{region}:{account_id}:log-group:{group}"


def install() -> None:
    """Take over InvokeEndpoint; bodies stay bytes."""
    replace(SageMakerRuntimeResponse, invoke_endpoint=invoke_endpoint, use_raw_body=True)


def invoke_endpoint(self: SageMakerRuntimeResponse) -> Any:
    """InvokeEndpoint."""
    began = time.monotonic()
    name = self.path.rstrip("/").split("/")[-2]
    endpoint = find(self.current_account, self.region, name)
    if endpoint is None:
        raise ValidationError(f"Endpoint {name} of account {self.current_account} not found.")
    if endpoint.live is None:
        raise ValidationError(f"Endpoint {name} is not in service: its status is {endpoint.endpoint_status}.")
    if endpoint.live.configuration.request.get("AsyncInferenceConfig"):
        raise ValidationError(f"Endpoint {name} is asynchronous: it takes InvokeEndpointAsync only.")
    body: bytes = self.raw_body or b""
    if len(body) > _LARGEST_BODY:
        raise ValidationError(f"The body has {len(body)} bytes; at most {_LARGEST_BODY} are taken")
    headers = {header: str(self.headers[header]) for header in PASSED_ON if header in self.headers}
    variant = self.headers.get("X-Amzn-SageMaker-Target-Variant")
    with endpoint.router.route(variant) as fleet:
        if fleet is None:
            raise ValidationError(f"Variant {variant} not found for endpoint {name}.")
        asked = time.monotonic()
        answer = _asked(fleet, body, headers)
        model_s = time.monotonic() - asked
    publish_invocation(
        account_id=self.current_account,
        region=self.region,
        endpoint=name,
        variant=fleet.variant,
        configuration=fleet.configuration,
        status=answer.status,
        model_s=model_s,
        overhead_s=time.monotonic() - began - model_s,
    )
    if answer.status >= 400:
        raise ModelError(
            endpoint=name,
            region=self.region,
            account_id=self.current_account,
            variant=fleet.variant,
            status=answer.status,
            text=answer.body.decode(errors="replace")[:_MESSAGE_LENGTH],
        )
    return (
        answer.status,
        {"Content-Type": answer.content_type, "x-Amzn-Invoked-Production-Variant": fleet.variant},
        answer.body,
    )


def _asked(fleet: Fleet, body: bytes, headers: dict[str, str]) -> Answer:
    try:
        return fleet.invoke(body, headers)
    except (OSError, http.client.HTTPException) as error:
        text = f"the container does not answer: {error}"
        return Answer(status=503, content_type="text/plain", body=text.encode())
