"""Traces as a real OTLP receiver gets them: HTTP, decoded from protobuf."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from serving.core.call import Call
from serving.observe import shared
from serving.observe.batch import Batch
from serving.observe.logs import Log
from serving.observe.traces import Traces, shown

MakeBatch = Callable[..., Batch]
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED, NOT_SAMPLED = f"00-{TRACE}-{PARENT}-01", f"00-{TRACE}-{PARENT}-00"


@pytest.fixture
def cells() -> shared.Cells:
    return shared.region(shared.allocate(1), 0)


def traces_to(receiver: Any, cells: shared.Cells, log: Log | None = None, **settings: Any) -> Traces:
    """An export that the machine holds up is not one that failed: that would be sent again."""
    return Traces(receiver.url, cells, log or Log(), timeout_seconds=60, **settings)


def attributes(span: Span) -> dict[str, Any]:
    return {item.key: getattr(item.value, item.value.WhichOneof("value") or "") for item in span.attributes}


def test_a_span_for_the_request_and_one_for_each_stage(
    receiver: Any, cells: shared.Cells, make_batch: MakeBatch
) -> None:
    traces = traces_to(receiver, cells)
    traces.start()
    traces.batch(make_batch(queued=0.25, calls=[Call(b"", request_id="r-1", traceparent=SAMPLED)]))
    traces.close(60)
    spans = {span.name: span for span in receiver.spans()}
    request = spans.pop("POST /invocations")
    assert receiver.paths == ["/v1/traces"]
    assert (request.trace_id.hex(), request.parent_span_id.hex()) == (TRACE, PARENT)
    assert request.kind == Span.SPAN_KIND_SERVER
    assert 0.25 <= (request.end_time_unix_nano - request.start_time_unix_nano) / 1e9 < 1
    about = attributes(request)
    assert (about["drivetrain.model"], about["drivetrain.request_id"]) == ("auto-mpg", "r-1")
    assert (about["http.response.status_code"], about["drivetrain.rows"]) == (200, 1)
    assert list(spans) == ["decode", "queue", "inference", "encode"]
    assert {span.parent_span_id for span in spans.values()} == {request.span_id}
    moment = request.start_time_unix_nano
    for span in spans.values():
        assert span.start_time_unix_nano == moment, "stages follow one another"
        moment = span.end_time_unix_nano
    assert moment == pytest.approx(request.end_time_unix_nano, abs=1000)
    assert cells[shared.TRACES_EXPORTED] == 1
    (resource,) = receiver.requests[0].resource_spans
    assert {item.key: item.value.string_value for item in resource.resource.attributes}["service.name"] == (
        "drivetrain-serving"
    )


@pytest.mark.parametrize(
    ("traceparent", "ratio", "count"),
    [(SAMPLED, 0.0, 1), (NOT_SAMPLED, 1.0, 0), ("", 1.0, 1), ("", 0.0, 0), ("00-nonsense", 1.0, 1)],
)
def test_the_caller_decides_else_the_ratio(
    receiver: Any, cells: shared.Cells, make_batch: MakeBatch, traceparent: str, ratio: float, count: int
) -> None:
    traces = traces_to(receiver, cells, ratio=ratio)
    traces.start()
    traces.batch(make_batch(calls=[Call(b"", traceparent=traceparent)]))
    traces.close(60)
    assert sum(span.name == "POST /invocations" for span in receiver.spans()) == count


def test_requests_of_nobody_are_at_most_fifty_a_second(
    receiver: Any, cells: shared.Cells, make_batch: MakeBatch
) -> None:
    traces = traces_to(receiver, cells, clock=lambda: 7.0)
    for _ in range(80):
        traces.batch(make_batch(calls=[Call(b"")]))
    traces.start()
    traces.close(60)
    assert cells[shared.TRACES_EXPORTED] == 50


def test_a_refusal_is_a_span_that_says_why(receiver: Any, cells: shared.Cells) -> None:
    traces = traces_to(receiver, cells)
    traces.start()
    traces.refused(400, "wrong_type", "", Call(b"", traceparent=SAMPLED))
    traces.refused(503, "overloaded", "", Call(b"", traceparent=SAMPLED))
    traces.refused(400, "no_rows", "", None)
    traces.close(60)
    wrong, overloaded = receiver.spans()
    assert (attributes(wrong)["error.type"], attributes(wrong)["http.response.status_code"]) == ("wrong_type", 400)
    assert (wrong.status.code, overloaded.status.code) == (0, 2), "a 4xx is the caller's error"


@pytest.mark.slow
def test_a_slow_receiver_slows_no_request(receiver: Any, cells: shared.Cells, make_batch: MakeBatch) -> None:
    receiver.slow = 0.5
    traces = traces_to(receiver, cells, Log(level="error"))
    traces.start()
    batch = make_batch(calls=[Call(b"", traceparent=SAMPLED)])
    took: list[float] = []
    for _ in range(3000):
        begun = time.perf_counter()
        traces.batch(batch)
        took.append(time.perf_counter() - begun)
    # But for those in which the machine did something else; a full queue that made requests wait would do so each time.
    assert sum(sorted(took)[:-50]) < 0.4, "less than one answer of the receiver"
    assert sum(took) < 5, "nor do a few wait for many of them"
    assert cells[shared.TRACES_DROPPED] > 1900
    traces.close(0.6)


def test_an_endpoint_is_logged_without_its_password() -> None:
    assert shown("https://me:se@cret@collector:4318/token/x?y=z") == "https://collector:4318"


@pytest.mark.slow
def test_a_receiver_that_refuses_is_logged_once(
    receiver: Any, cells: shared.Cells, make_batch: MakeBatch, tmp_path: Path
) -> None:
    receiver.status = 400
    with (tmp_path / "stderr").open("wb") as stderr:
        log = Log(descriptor=os.dup(stderr.fileno()))
    traces = traces_to(receiver, cells, log)
    for _ in range(20):
        traces.batch(make_batch(calls=[Call(b"", traceparent=SAMPLED)]))
    traces.start()
    traces.close(60)
    assert (cells[shared.TRACES_REFUSED], cells[shared.TRACES_EXPORTED]) == (20, 0)
    (record,) = [json.loads(line) for line in (tmp_path / "stderr").read_text().splitlines()]
    assert f"traces are not taken by {receiver.url}; requests go on" in record["message"]
