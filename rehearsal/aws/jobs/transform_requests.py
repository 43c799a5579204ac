"""How a transform job asks its container: payloads of records, some at a time, each with a time limit and retries.

Defaults and limits: CreateTransformJob, "ModelClientConfig", and
https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-batch-code.html for the container's variables and
`/execution-parameters`.
"""

import dataclasses
import http.client
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from rehearsal.aws.endpoints.fleet import Fleet
from rehearsal.aws.jobs.requests import section
from rehearsal.aws.jobs.transform_filters import Filters
from rehearsal.aws.jobs.transform_records import MEGABYTE, RecordError, assembled, batches, records, unpacked

_PAYLOAD_MB = 6
_LARGEST_MB = 100
_TIMEOUT_S = 600
_RETRIES = 3
_PAUSE_S = 0.5
"""Longer before each further attempt."""
_STRATEGIES = {"MultiRecord": "MULTI_RECORD", "SingleRecord": "SINGLE_RECORD"}
_MESSAGE_LENGTH = 2048


class StoppedError(Exception):
    """The job is to stop: what was not answered yet is not asked."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What the request says of how to ask; None where the container may say it."""

    content_type: str
    accept: str
    split: str
    compression: str
    assemble: str
    output: str
    many: bool | None
    payload_mb: int | None
    concurrent: int | None
    timeout_s: float
    retries: int

    def completed(self, said: Mapping[str, Any]) -> "Plan":
        """With the container's own `/execution-parameters` for what the request leaves open, then SageMaker's."""
        many = str(said.get("BatchStrategy") or "MULTI_RECORD") != "SINGLE_RECORD"
        return dataclasses.replace(
            self,
            many=many if self.many is None else self.many,
            payload_mb=int(said.get("MaxPayloadInMB") or _PAYLOAD_MB) if self.payload_mb is None else self.payload_mb,
            concurrent=self.concurrent or int(said.get("MaxConcurrentTransforms") or 1),
        )

    def line(self) -> str:
        """The first line of the job's data log."""
        strategy = "SINGLE_RECORD" if self.many is False else "MULTI_RECORD"
        settings = f"MaxConcurrentTransforms={self.concurrent}, MaxPayloadInMB={self.payload_mb}"
        return f"[sagemaker logs]: {settings}, BatchStrategy={strategy}"

    def variables(self) -> dict[str, str]:
        """What the container of a transform job finds in its environment."""
        many = None if self.many is None else _STRATEGIES["MultiRecord" if self.many else "SingleRecord"]
        given = {
            "SAGEMAKER_BATCH_STRATEGY": many,
            "SAGEMAKER_MAX_PAYLOAD_IN_MB": self.payload_mb,
            "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": self.concurrent,
        }
        return {"SAGEMAKER_BATCH": "true", **{name: str(value) for name, value in given.items() if value is not None}}


def plan(request: dict[str, Any]) -> Plan:
    """Read a CreateTransformJob."""
    source, target = section(request, "TransformInput"), section(request, "TransformOutput")
    client = section(request, "ModelClientConfig")
    content_type = str(source.get("ContentType") or "")
    strategy = request.get("BatchStrategy")
    return Plan(
        content_type=content_type,
        accept=str(target.get("Accept") or ""),
        split=str(source.get("SplitType") or "None"),
        compression=str(source.get("CompressionType") or "None"),
        assemble=str(target.get("AssembleWith") or "None"),
        output=str(target["S3OutputPath"]),
        many=None if strategy is None else strategy == "MultiRecord",
        payload_mb=request.get("MaxPayloadInMB"),
        concurrent=request.get("MaxConcurrentTransforms") or None,
        timeout_s=float(client.get("InvocationsTimeoutInSeconds") or _TIMEOUT_S),
        retries=int(client.get("InvocationsMaxRetries", _RETRIES)),
    )


def problem(request: dict[str, Any]) -> str | None:
    """What is wrong with a request beyond its shape, or None."""
    source = section(request, "TransformInput")
    kind, split = source["DataSource"]["S3DataSource"]["S3DataType"], source.get("SplitType")
    megabytes, at_once = request.get("MaxPayloadInMB") or 0, request.get("MaxConcurrentTransforms") or 1
    if kind not in ("S3Prefix", "ManifestFile"):
        return f"S3DataType {kind} is not rehearsed; S3Prefix and ManifestFile are"
    if split in ("RecordIO", "TFRecord"):
        return f"SplitType {split} is not rehearsed; None and Line are"
    if request.get("DataCaptureConfig"):
        return "DataCaptureConfig of a transform job is not rehearsed"
    if megabytes * at_once > _LARGEST_MB:
        return f"MaxConcurrentTransforms * MaxPayloadInMB is {megabytes * at_once}; it cannot exceed {_LARGEST_MB} MB"
    return None


class Sender:
    """Asks a fleet for the records of one object after the other."""

    def __init__(self, fleet: Fleet, wanted: Plan, filters: Filters, stop: threading.Event) -> None:
        self._fleet, self._plan, self._filters, self._stop = fleet, wanted, filters, stop
        self._pool = ThreadPoolExecutor(max_workers=wanted.concurrent or 1, thread_name_prefix="transform")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def transform(self, content: bytes) -> bytes:
        """The output of one object. Raises RecordError, naming the answer, and StoppedError."""
        entries = records(unpacked(content, self._plan.compression), self._plan.split)
        limit = (self._plan.payload_mb or 0) * MEGABYTE
        payloads = list(batches(entries, many=bool(self._plan.many), limit=limit))
        futures = [self._pool.submit(self._answered, payload) for payload in payloads]
        try:
            answers = [future.result() for future in futures]
        except BaseException:
            for future in futures:
                future.cancel()
            raise
        return assembled(answers, self._plan.assemble)

    def _answered(self, payload: tuple[bytes, ...]) -> bytes:
        lines = self._plan.split == "Line"
        body = b"\n".join(self._filters.taken(record) for record in payload)
        answer = self._asked(body + b"\n" if lines and self._plan.many else body)
        return self._filters.kept(payload, answer, lines=lines)

    def _asked(self, body: bytes) -> bytes:
        kinds = {"Content-Type": self._plan.content_type, "Accept": self._plan.accept}
        headers = {name: value for name, value in kinds.items() if value}
        problem = ""
        for attempt in range(1 + self._plan.retries):
            # Only what is asked again waits: for a container that is just being started anew.
            if self._stop.wait(attempt * _PAUSE_S):
                raise StoppedError
            try:
                answer = self._fleet.invoke(body, headers, timeout_s=self._plan.timeout_s)
            except (OSError, http.client.HTTPException) as error:
                problem = f"ModelError: the container does not answer: {error}"
                continue
            if answer.status < http.HTTPStatus.BAD_REQUEST:
                return answer.body
            kind = "ClientError" if answer.status < http.HTTPStatus.INTERNAL_SERVER_ERROR else "ModelError"
            message = answer.body.decode(errors="replace")[:_MESSAGE_LENGTH]
            problem = f"{kind}: {answer.status}\nMessage:\n{message}"
            if answer.status < http.HTTPStatus.INTERNAL_SERVER_ERROR:
                break
        raise RecordError(problem)
