"""Asynchronous inference: a request lies in S3, the container is asked later, and its answer goes to S3.

https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-invoke-endpoint.html and -check-predictions.html: the
answer is `<S3OutputPath>/<id>.out`, a failure `<S3FailurePath>/<id>-error.out`, and a topic may be told of each. All of
it is done as the role of the model.
"""

import http.client
import json
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from rehearsal.aws import accounts
from rehearsal.aws.endpoints.endpoint import Endpoint
from rehearsal.aws.endpoints.fleet import Answer, Fleet
from rehearsal.aws.jobs import storage
from rehearsal.aws.jobs.requests import section
from rehearsal.aws.processes import ClosedError

_CONCURRENT = 4
"""Requests at a time where the configuration leaves it to SageMaker, which chooses an optimal value of its own."""
_pools: dict[tuple[str, str], ThreadPoolExecutor] = {}
_lock = threading.Lock()
Observe = Callable[[Fleet, int, float], None]


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """One accepted request, and where its answer will lie."""

    inference_id: str
    source: str | bytes
    """The URI of the request, or the request itself."""
    headers: dict[str, str]
    output: str
    failure: str | None
    ttl_s: float
    timeout_s: float
    accepted: float
    """Of the monotonic clock."""


def submit(endpoint: Endpoint, invocation: Invocation, observe: Observe) -> None:
    """Have the request answered once its turn comes, as many at a time as the configuration says."""
    configuration = endpoint.configuration.request if endpoint.configuration else {}
    client = section(section(configuration, "AsyncInferenceConfig"), "ClientConfig")
    most = int(client.get("MaxConcurrentInvocationsPerInstance") or _CONCURRENT)
    with _lock:
        # A change of the configuration is a pool of its own; what waits in the old one is answered all the same.
        key = (endpoint.arn, str(configuration.get("EndpointConfigName")))
        pool = _pools.setdefault(key, ThreadPoolExecutor(max_workers=most, thread_name_prefix="asynchronous"))
    pool.submit(_answered, endpoint, invocation, observe)


def _answered(endpoint: Endpoint, invocation: Invocation, observe: Observe) -> None:
    try:
        with endpoint.router.route(None) as fleet:
            if fleet is None:
                return
            session = accounts.assume(fleet.model.role, region=fleet.model.region, session="SageMakerEndpoint")
            answer = _asked(fleet, invocation, session, observe)
            written = _written(invocation, answer, session)
            _tell(endpoint, invocation, answer if written is None else written, session)
    except ClosedError:
        return
    except Exception:  # nobody waits for this thread
        traceback.print_exc()


def _asked(fleet: Fleet, invocation: Invocation, session: dict[str, str], observe: Observe) -> Answer:
    if time.monotonic() - invocation.accepted > invocation.ttl_s:
        return _problem(408, "The request expired before it could be processed")
    try:
        body = invocation.source
        if isinstance(body, str):
            body = storage.fetch(accounts.client("s3", session), body)
        begun = time.monotonic()
        answer = fleet.invoke(body, invocation.headers, timeout_s=invocation.timeout_s)
    except storage.TransferError as error:
        return _problem(400, f"The request cannot be read: {error}")
    except (OSError, http.client.HTTPException) as error:
        return _problem(503, f"the container does not answer: {error}")
    observe(fleet, answer.status, time.monotonic() - begun)
    return answer


def _written(invocation: Invocation, answer: Answer, session: dict[str, str]) -> Answer | None:
    """Write the answer where it belongs; what went wrong instead of it, or None."""
    failed = answer.status >= http.HTTPStatus.BAD_REQUEST
    uri = invocation.failure if failed else invocation.output
    if uri is None:
        return None
    try:
        storage.put(accounts.client("s3", session), uri, answer.body)
    except storage.TransferError as error:
        print(f"asynchronous inference {invocation.inference_id}: {error}")
        return _problem(500, f"The answer cannot be written: {error}")
    return None


def _tell(endpoint: Endpoint, invocation: Invocation, answer: Answer, session: dict[str, str]) -> None:
    """Publish to the topic of successes or of errors, if there is one."""
    configuration = endpoint.configuration.request if endpoint.configuration else {}
    output = section(section(configuration, "AsyncInferenceConfig"), "OutputConfig")
    topics = section(output, "NotificationConfig")
    failed = answer.status >= http.HTTPStatus.BAD_REQUEST
    topic = topics.get("ErrorTopic" if failed else "SuccessTopic")
    if not topic:
        return
    message: dict[str, Any] = {
        "awsRegion": session["AWS_REGION"],
        "eventName": "InferenceResult",
        "eventSource": "aws:sagemaker",
        "eventVersion": "1.0",
        "invocationStatus": "Failed" if failed else "Completed",
        "inferenceId": invocation.inference_id,
        "requestParameters": {"endpointName": endpoint.endpoint_name},
        "responseParameters": {"contentType": answer.content_type},
    }
    if failed:
        message["failureReason"] = answer.body.decode(errors="replace")[:1024]
    else:
        message["responseParameters"]["outputLocation"] = invocation.output
    try:
        accounts.client("sns", session).publish(TopicArn=topic, Message=json.dumps(message))
    except (ClientError, BotoCoreError) as error:
        print(f"asynchronous inference {invocation.inference_id}: {error}")


def _problem(status: int, text: str) -> Answer:
    return Answer(status=status, content_type="text/plain", body=text.encode())


def locations(
    configuration: dict[str, Any], inference: str, *, extension: str, filename: str
) -> tuple[str, str | None]:
    """Where an answer and a failure go; no failure location where the configuration has none."""
    output = section(section(configuration, "AsyncInferenceConfig"), "OutputConfig")
    name = "/".join(part for part in (extension.strip("/"), filename or f"{inference}.out") if part)
    answer = f"{str(output['S3OutputPath']).rstrip('/')}/{name}"
    failures = output.get("S3FailurePath")
    return answer, f"{str(failures).rstrip('/')}/{inference}-error.out" if failures else None
