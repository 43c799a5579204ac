"""Asking an endpoint as any caller does, with refusals as answers and not as exceptions."""

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

JSON, CSV = "application/json", "text/csv"


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What came back: the container's own status and body, a refusal's as well."""

    status: int
    content_type: str
    body: str
    seconds: float

    @property
    def document(self) -> Mapping[str, Any]:
        """The body as a JSON object; empty when it is none."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}  # pyright: ignore[reportUnknownVariableType]

    @property
    def predictions(self) -> list[float]:
        """The finite predictions of an answer; empty when there are none or one of them is not finite."""
        try:
            if self.content_type.startswith(CSV):
                found = [float(line) for line in self.body.split()]
            else:
                found = [float(value) for value in self.document.get("predictions", [])]
        except (TypeError, ValueError):
            return []
        return found if all(math.isfinite(value) for value in found) else []

    @property
    def error(self) -> Mapping[str, Any]:
        """What a refusal says: code, message, field and row."""
        found = self.document.get("error", {})
        return found if isinstance(found, dict) else {}  # pyright: ignore[reportUnknownVariableType]

    def __str__(self) -> str:
        return f"status {self.status}: {self.body[:200]}"


@dataclass(frozen=True, kw_only=True)
class Asker:
    """One endpoint."""

    runtime: Any
    endpoint: str

    def ask(self, body: str | bytes, content_type: str = JSON, accept: str = JSON) -> Reply:
        """Send a body; raises botocore's errors for what does not come from the container."""
        began = time.perf_counter()
        try:
            answer = self.runtime.invoke_endpoint(
                EndpointName=self.endpoint, Body=body, ContentType=content_type, Accept=accept
            )
        except ClientError as error:
            response: Any = error.response
            if "OriginalStatusCode" not in response:
                raise
            return Reply(
                status=int(response["OriginalStatusCode"]),
                content_type=JSON,
                body=str(response.get("OriginalMessage", "")),
                seconds=time.perf_counter() - began,
            )
        content = answer["Body"].read().decode(errors="replace")
        return Reply(
            status=200,
            content_type=str(answer.get("ContentType", "")),
            body=content,
            seconds=time.perf_counter() - began,
        )

    def predict(self, rows: Sequence[Mapping[str, object]]) -> Reply:
        """Predict for rows by name, as JSON."""
        return self.ask(json.dumps(list(rows)))


def close(first: Sequence[float], second: Sequence[float]) -> bool:
    """Whether two lists of predictions are the same but for the last digits of a float32."""
    return len(first) == len(second) and all(
        math.isclose(one, other, rel_tol=1e-4, abs_tol=1e-6) for one, other in zip(first, second, strict=True)
    )
