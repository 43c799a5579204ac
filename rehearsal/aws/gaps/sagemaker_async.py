"""InvokeEndpointAsync has the container answer into S3, in the place of moto's canned answer."""

import json
import time
import uuid
from typing import Any, Final

from moto.sagemakerruntime.responses import SageMakerRuntimeResponse

from rehearsal.aws.cloudwatch.samples import publish_invocation
from rehearsal.aws.endpoints.asynchronous import Invocation, locations, submit
from rehearsal.aws.endpoints.endpoint import Endpoint
from rehearsal.aws.endpoints.fleet import Fleet
from rehearsal.aws.endpoints.registry import find
from rehearsal.aws.gaps import replace
from rehearsal.aws.gaps.sagemaker_runtime import PASSED_ON, ValidationError

NOTES: Final = (
    "Asynchronous requests wait in the memory of this server: what waits when it ends is lost. One process answers, "
    "as many at a time as MaxConcurrentInvocationsPerInstance says.",
)
_LARGEST_BODY = 128_000  # InvokeEndpointAsync: an inline body has at most 128,000 bytes
_TTL_S = 21_600
_TIMEOUT_S = 900


def install() -> None:
    """Take over InvokeEndpointAsync."""
    replace(SageMakerRuntimeResponse, invoke_endpoint_async=invoke_endpoint_async)


def invoke_endpoint_async(self: SageMakerRuntimeResponse) -> Any:
    """InvokeEndpointAsync."""
    name = self.path.rstrip("/").split("/")[-2]
    endpoint = find(self.current_account, self.region, name)
    if endpoint is None or endpoint.live is None:
        raise ValidationError(f"Endpoint {name} of account {self.current_account} not found or not in service.")
    configuration = endpoint.live.configuration.request
    if not configuration.get("AsyncInferenceConfig"):
        raise ValidationError(f"Endpoint {name} is not asynchronous: its configuration has no AsyncInferenceConfig.")
    invocation = _invocation(self, configuration)
    submit(endpoint, invocation, _observer(self, endpoint))
    headers = {
        "status": 202,
        "Content-Type": "application/json",
        "X-Amzn-SageMaker-OutputLocation": invocation.output,
        **({"X-Amzn-SageMaker-FailureLocation": invocation.failure} if invocation.failure else {}),
    }
    return 202, headers, json.dumps({"InferenceId": invocation.inference_id})


def _invocation(self: SageMakerRuntimeResponse, configuration: dict[str, Any]) -> Invocation:
    def header(name: str, default: str = "") -> str:
        return str(self.headers.get(f"X-Amzn-SageMaker-{name}", default))

    body: bytes = self.raw_body or b""
    source = header("InputLocation")
    if bool(source) == bool(body):
        raise ValidationError("Give InputLocation or Body, and not both.")
    if len(body) > _LARGEST_BODY:
        raise ValidationError(f"The body has {len(body)} bytes; at most {_LARGEST_BODY} are taken")
    inference = str(uuid.uuid4())
    output, failure = locations(
        configuration, inference, extension=header("S3OutputPathExtension"), filename=header("Filename")
    )
    # The HTTP request's own type and Accept are the SDK's; those of the container have names of their own here.
    headers = {each: str(self.headers[each]) for each in PASSED_ON if each in self.headers and each.startswith("X-")}
    headers |= {each: value for each in ("Content-Type", "Accept") if (value := header(each))}
    return Invocation(
        inference_id=header("Inference-Id") or inference,
        source=source or body,
        headers=headers,
        output=output,
        failure=failure,
        ttl_s=float(header("RequestTTLSeconds") or _TTL_S),
        timeout_s=float(header("InvocationTimeoutSeconds") or _TIMEOUT_S),
        accepted=time.monotonic(),
    )


def _observer(self: SageMakerRuntimeResponse, endpoint: Endpoint) -> Any:
    account_id, region = self.current_account, self.region

    def observe(fleet: Fleet, status: int, model_s: float) -> None:
        publish_invocation(
            account_id=account_id,
            region=region,
            endpoint=endpoint.endpoint_name,
            variant=fleet.variant,
            configuration=fleet.configuration,
            status=status,
            model_s=model_s,
            overhead_s=0.0,
        )

    return observe
