"""Asking an asynchronous endpoint: the request goes to S3, and the answer is waited for there.

Requests lie below `async/<model>/requests/` of the capture bucket, where the endpoint's role may read them
(infra/components/asynchronous.py).
"""

import io
import json
import time
import uuid
from dataclasses import dataclass, replace
from typing import Any, Final

from botocore.exceptions import ClientError

from delivery.errors import DeliveryError
from lake.locations import split_uri

_POLL_S = 0.5
_EXTENSIONS = {"application/json": "json", "text/csv": "csv", "image/png": "png", "image/jpeg": "jpg"}
STATUSES: Final = {
    "malformed_json": 400,
    "malformed_csv": 400,
    "malformed_arrow": 400,
    "malformed_tensor": 400,
    "malformed_image": 400,
    "malformed_encoding": 400,
    "malformed_request": 400,
    "no_rows": 400,
    "wrong_type": 400,
    "wrong_shape": 400,
    "missing_field": 400,
    "extra_field": 400,
    "null_value": 400,
    "unknown_category": 400,
    "out_of_range": 400,
    "not_finite": 400,
    "unknown_variant": 400,
    "not_found": 404,
    "method_not_allowed": 405,
    "not_acceptable": 406,
    "timeout": 408,
    "body_too_large": 413,
    "too_many_rows": 413,
    "target_too_long": 414,
    "unsupported_content_type": 415,
    "unsupported_content_encoding": 415,
    "expectation_failed": 417,
    "headers_too_large": 431,
    "internal": 500,
    "not_ready": 503,
    "overloaded": 503,
    "too_many_connections": 503,
    "deadline_exceeded": 504,
}
"""The container's status by `error.code`; a test compares it with serving's own, which is not imported here."""
_ABSENT = {"404", "NoSuchKey"}
_REFUSED = {"403", "AccessDenied"}
"""Also what S3 says of a key that is not there yet to whoever may not list the bucket."""
_READING = ("s3:GetObject", "kms:Decrypt")
"""Named in a refusal, they are what is missing: of an absent key S3 names s3:ListBucket, or nothing."""


class NoAnswerError(DeliveryError):
    """An asynchronous endpoint did not answer in time; the message says where the answer will lie."""


@dataclass(frozen=True, kw_only=True)
class AsyncReply:
    """What lay in S3: the answer, or what the container said when it refused."""

    failed: bool
    body: bytes


@dataclass(frozen=True, kw_only=True)
class AsyncAsker:
    """One endpoint and the bucket that its requests go through."""

    runtime: Any
    s3: Any
    endpoint: str
    bucket: str
    model: str
    wait_s: float = 900.0

    def ask(self, body: bytes, content_type: str, accept: str) -> AsyncReply:
        """Send `body` and wait; NoAnswerError after `wait_s`, botocore's errors for what AWS refuses.

        A right to read that the caller lacks is told at once where S3 names it, and after `wait_s` where it may as well
        be that there is no answer yet.
        """
        key = f"async/{self.model}/requests/{uuid.uuid4()}.{_EXTENSIONS.get(content_type, 'bin')}"
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)
        accepted = self.runtime.invoke_endpoint_async(
            EndpointName=self.endpoint,
            InputLocation=f"s3://{self.bucket}/{key}",
            ContentType=content_type,
            Accept=accept,
        )
        answer, failure = str(accepted["OutputLocation"]), str(accepted.get("FailureLocation") or "")
        refused: dict[str, str] = {}
        deadline = time.monotonic() + self.wait_s
        while True:  # at least one look, however late it is
            for uri, failed in ((answer, False), (failure, True)):
                found = self._read(uri, refused) if uri else None
                if found is not None:
                    return AsyncReply(failed=failed, body=found)
            if _names_reading(refused.get(answer, "")):
                raise NoAnswerError(f"the answer of endpoint {self.endpoint} cannot be read: {refused[answer]}")
            if time.monotonic() >= deadline:
                break
            time.sleep(_POLL_S)
        raise NoAnswerError(
            f"endpoint {self.endpoint} did not answer in {self.wait_s:.0f} s; the answer will be {answer}, "
            f"a failure {failure or 'nowhere'}{_doubt(refused)}"
        )

    def _read(self, uri: str, refused: dict[str, str]) -> bytes | None:
        """What lies there, None if nothing does; `refused` keeps what S3 said instead, by URI."""
        bucket, key = split_uri(uri)
        refused.pop(uri, None)
        try:
            return self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except ClientError as error:
            said: Any = error.response.get("Error", {})
            if said.get("Code") in _REFUSED:
                refused[uri] = str(said.get("Message") or said.get("Code"))
            elif said.get("Code") not in _ABSENT:
                raise
            return None


def _names_reading(refusal: str) -> bool:
    return any(action in refusal for action in _READING)


def _doubt(refused: dict[str, str]) -> str:
    """What else it may be, where the last look was refused."""
    if not refused:
        return ""
    uri, said = next(iter(refused.items()))
    return (
        f". S3 refused to read {uri} ({said}): either nothing lies there, which is told only to who has s3:ListBucket "
        "on the bucket, or s3:GetObject on it or kms:Decrypt on its key is missing"
    )


class AsyncRuntime:
    """InvokeEndpoint's own shape over an asynchronous endpoint, for whoever asks the one as the other.

    S3 keeps what the container said and not its status, which is told from the code of our own error answers.
    """

    def __init__(self, asker: AsyncAsker) -> None:
        self._asker = asker

    def invoke_endpoint(self, *, EndpointName: str, Body: str | bytes, ContentType: str, Accept: str) -> dict[str, Any]:  # noqa: N803 - boto3's names
        """The answer as InvokeEndpoint gives it; ClientError with the container's words for a refusal."""
        body = Body.encode() if isinstance(Body, str) else Body
        reply = replace(self._asker, endpoint=EndpointName).ask(body, ContentType, Accept)
        if not reply.failed:
            return {"Body": io.BytesIO(reply.body), "ContentType": Accept}
        text = reply.body.decode(errors="replace")
        response: Any = {
            "Error": {"Code": "ModelError", "Message": text},
            "OriginalStatusCode": _status(text),
            "OriginalMessage": text,
        }
        raise ClientError(response, "InvokeEndpointAsync")


def _status(text: str) -> int:
    try:
        code = str(json.loads(text)["error"]["code"])
    except (ValueError, KeyError, TypeError):
        return 500
    # A code that is not known is not blamed on the caller.
    return STATUSES.get(code, 500)
