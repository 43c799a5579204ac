"""A batch of the small artefact's answers, as the engine hands one to the Observer, and a receiver of traces."""

import json
import mmap
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from serving.core.call import Call
from serving.core.job import Answered, Job
from serving.core.service import Service
from serving.observe import shared
from serving.observe.batch import Batch

Rows = list[dict[str, object]]


@pytest.fixture
def memory() -> mmap.mmap:
    """Two slots."""
    return shared.allocate(2)


@pytest.fixture
def answered(service: Service, car: dict[str, object]) -> Callable[..., tuple[list[Job], Answered]]:
    def answer(*requests: Rows) -> tuple[list[Job], Answered]:
        bodies = [json.dumps(rows).encode() for rows in requests or ([car],)]
        jobs = [service.decode(body, "application/json") for body in bodies]
        return jobs, service.answer_all(jobs)

    return answer


@pytest.fixture
def make_batch(service: Service, answered: Callable[..., tuple[list[Job], Answered]]) -> Callable[..., Batch]:
    """A batch of requests with the given rows; `queued` seconds each, and as short a run on every machine."""

    def make(*requests: Rows, queued: float = 0.001, calls: list[Call] | None = None) -> Batch:
        jobs, outcome = answered(*requests)
        outcome = msgspec.structs.replace(outcome, inference_seconds=0.0002, encode_seconds=0.0001)
        given = calls or [Call(b"", request_id=f"request-{number}") for number in range(len(jobs))]
        return Batch(service, "", jobs, outcome, [queued] * len(jobs), 0.0001, given)

    return make


class Receiver:
    """A small OTLP receiver on this machine. It waits `slow` seconds before it answers `status`."""

    def __init__(self) -> None:
        self.requests: list[ExportTraceServiceRequest] = []
        self.paths: list[str] = []
        self.slow, self.status = 0.0, 200
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                time.sleep(outer.slow)
                outer.paths.append(self.path)
                outer.requests.append(ExportTraceServiceRequest.FromString(body))
                self.send_response(outer.status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def spans(self) -> list[Span]:
        return [
            span
            for request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()
