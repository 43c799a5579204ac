"""OpenTelemetry traces: a span for a sampled request, and one for each of its stages, sent by OTLP over HTTP.

Imported only where an endpoint is configured. The event loop decides who is sampled and puts references into a bounded
queue; a thread makes the spans and sends them, so a slow or dead receiver costs traces, which are counted, and never a
request. A caller's `traceparent` (https://www.w3.org/TR/trace-context/) decides for its request; those without one are
sampled by ratio, at most 50 a second.
"""

import logging
import random
import re
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import msgspec
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, Tracer, TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from serving.core.errors import RequestError
from serving.observe import shared
from serving.observe.batch import Batch, Called
from serving.observe.logs import Log

_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_WAITING: Final = 1000
_A_SECOND: Final = 50
_AT_ONCE: Final = 8
_EXPORT_SECONDS: Final = 5.0
_IDLE_SECONDS: Final = 0.1
_LOG_SECONDS: Final = 60.0
_REST: Final = 9.0
"""Seconds of sleep for each second of work: the thread shares the interpreter's lock with the event loop."""
_NANO: Final = 1_000_000_000


class Traced(msgspec.Struct, frozen=True, gc=False):
    """A sampled request."""

    traceparent: str
    request_id: str
    end: int
    """When the answer was ready, ns since the epoch."""
    stages: tuple[tuple[str, float], ...]
    """Names and seconds, in their order."""
    attributes: dict[str, str | int]
    error: str
    """The error code; empty for a success."""


def shown(endpoint: str) -> str:
    """Scheme, host and port of the URL `endpoint`, for a log: a user, a password or a token in it are nobody's."""
    parts = urlsplit(endpoint)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


class Traces:
    """A follower of the Observer; `start` it in the worker, `close` it before the worker ends."""

    def __init__(
        self,
        endpoint: str,
        cells: shared.Cells,
        log: Log,
        *,
        ratio: float = 1.0,
        service_name: str = "drivetrain-serving",
        timeout_seconds: float = _EXPORT_SECONDS,
        draw: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Send to `endpoint`, the base URL of an OTLP receiver; OTEL_EXPORTER_OTLP_HEADERS and the like hold too."""
        self._shown = shown(endpoint)
        self._cells = cells
        self._log = log
        self._log_at = 0.0
        self._ratio = ratio
        self._draw = draw
        self._clock = clock
        self._second = self._this_second = 0
        self._queue: deque[Traced] = deque()
        self._ended = _Ended()
        # The library tells of every failed try; the log gets one line a minute.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        resource = Resource.create({"service.name": service_name})
        provider = TracerProvider(sampler=ALWAYS_ON, resource=resource, shutdown_on_exit=False)
        provider.add_span_processor(self._ended)
        self._tracer: Tracer = provider.get_tracer("drivetrain.serving")  # pyright: ignore[reportAttributeAccessIssue]
        self._exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=timeout_seconds)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="traces", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def close(self, seconds: float = 2.0) -> None:
        """Send what waits, for at most `seconds`."""
        self._stopping.set()
        self._thread.join(seconds)
        # Wakes the exporter where it waits to try again; what is left after that is lost.
        self._exporter.shutdown()

    def batch(self, batch: Batch) -> None:
        """Put the sampled ones of the batch's requests into the queue."""
        answered = batch.answered
        for index, call in enumerate(batch.calls):
            if not self._sampled(call.traceparent):
                continue
            answer = answered.answers[index]
            error = answer.code if isinstance(answer, RequestError) else ""
            queued = max(batch.queued_seconds[index] - batch.decode_seconds, 0.0)
            stages = (
                *(("decode", batch.decode_seconds), ("queue", queued)),
                *(("inference", answered.inference_seconds), ("encode", answered.encode_seconds)),
            )
            self._put(
                call,
                stages,
                {
                    "drivetrain.model": batch.service.spec.name,
                    "drivetrain.release": batch.service.release,
                    "drivetrain.variant": batch.variant,
                    "drivetrain.rows": batch.jobs[index].rows,
                    "drivetrain.batch.requests": len(batch.jobs),
                    "http.response.status_code": answer.status if isinstance(answer, RequestError) else 200,
                },
                error,
            )

    def refused(self, status: int, code: str, variant: str, call: Called | None) -> None:
        """Put a sampled refusal into the queue: a span without stages."""
        if call is not None and self._sampled(call.traceparent):
            self._put(call, (), {"drivetrain.variant": variant, "http.response.status_code": status}, code)

    def _sampled(self, traceparent: str) -> bool:
        if traceparent and (match := _TRACEPARENT.fullmatch(traceparent)):
            return bool(int(match[3], 16) & 1)
        if self._draw() >= self._ratio:
            return False
        second = int(self._clock())
        if second != self._second:
            self._second, self._this_second = second, 0
        self._this_second += 1
        return self._this_second <= _A_SECOND

    def _put(
        self, call: Called, stages: tuple[tuple[str, float], ...], attributes: dict[str, str | int], error: str
    ) -> None:
        if len(self._queue) >= _WAITING:
            self._cells[shared.TRACES_DROPPED] += 1
            return
        self._queue.append(Traced(call.traceparent, call.request_id, time.time_ns(), stages, attributes, error))

    def _run(self) -> None:
        while not self._stopping.is_set():
            begun = time.thread_time()
            if self._send_some():
                self._stopping.wait(_REST * (time.thread_time() - begun))
            else:
                self._stopping.wait(_IDLE_SECONDS)
        while self._send_some():
            pass

    def _send_some(self) -> bool:
        """Send some of what waits; False when nothing does."""
        taken = [self._queue.popleft() for _ in range(min(len(self._queue), _AT_ONCE))]
        for traced in taken:
            self._make_spans(traced)
        if taken:
            sent = self._exporter.export(self._ended.take()) is SpanExportResult.SUCCESS
            self._cells[shared.TRACES_EXPORTED if sent else shared.TRACES_REFUSED] += len(taken)
            if not sent:
                self._complain()
        return bool(taken)

    def _complain(self) -> None:
        now = time.monotonic()
        if now >= self._log_at:
            self._log_at = now + _LOG_SECONDS
            self._log.write("warning", f"traces are not taken by {self._shown}; requests go on")

    def _make_spans(self, traced: Traced) -> None:
        moment = traced.end - int(sum(seconds for _, seconds in traced.stages) * _NANO)
        span = self._tracer.start_span(
            "POST /invocations",
            context=_parent(traced.traceparent),
            kind=SpanKind.SERVER,
            start_time=moment,
            attributes={**traced.attributes, "drivetrain.request_id": traced.request_id},
        )
        if traced.error:
            span.set_attribute("error.type", traced.error)
            # By OpenTelemetry's conventions a server's span is in error for a 5xx only: a 4xx is the caller's.
            if int(traced.attributes["http.response.status_code"]) >= 500:
                span.set_status(Status(StatusCode.ERROR))
        inside = set_span_in_context(span, Context())
        for name, seconds in traced.stages:
            stage = self._tracer.start_span(name, context=inside, start_time=moment)
            moment += int(seconds * _NANO)
            stage.end(end_time=moment)
        span.end(end_time=traced.end)


class _Ended(SpanProcessor):
    """Collects the spans that have ended."""

    def __init__(self) -> None:
        self._spans: list[ReadableSpan] = []

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Nothing is done before a span has ended."""

    def on_end(self, span: ReadableSpan) -> None:
        """Keep `span`."""
        self._spans.append(span)

    def take(self) -> list[ReadableSpan]:
        """The spans since this was last asked."""
        spans, self._spans = self._spans, []
        return spans


def _parent(traceparent: str) -> Context:
    match = _TRACEPARENT.fullmatch(traceparent)
    if match is None or not int(match[1], 16) or not int(match[2], 16):
        return Context()
    context = SpanContext(int(match[1], 16), int(match[2], 16), is_remote=True, trace_flags=TraceFlags(1))
    return set_span_in_context(NonRecordingSpan(context), Context())
