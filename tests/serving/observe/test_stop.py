"""What a real server that stops still writes: captures and traces that waited when it was told to."""

import http.client
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.serving.conftest import PATIENCE

pytestmark = pytest.mark.slow
_TRIES = 3
"""The end of a server has its time; what it cannot write within it, because the machine stands still, is lost."""
_REQUESTS = 16
"""Requests that are answered sooner than they can be captured or traced."""
_TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def burst(port: int, rows: list[dict[str, object]]) -> set[str]:
    """The ids of requests that are all answered, over one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    ids = [f"r-{number}" for number in range(_REQUESTS)]
    for one in ids:
        headers = {"content-type": "application/json", "x-request-id": one}
        headers["traceparent"] = f"00-{_TRACE}-00f067aa0ba902b7-01"
        connection.request("POST", "/invocations", json.dumps(rows), headers)
        answer = connection.getresponse()
        assert (answer.status, bool(answer.read())) == (200, True)
    connection.close()
    return set(ids)


def captured(folder: Path) -> set[str]:
    lines = [line for file in folder.rglob("*.jsonl") for line in file.read_text().splitlines()]
    return {json.loads(line)["eventMetadata"]["inferenceId"] for line in lines}


def traced(receiver: Any) -> set[str]:
    found = {item.value.string_value for span in receiver.spans() for item in span.attributes}
    return {text for text in found if text.startswith("r-")}


def test_captures_that_wait_are_written_at_the_stop(
    start_server: Callable[..., Any], base_dir: Path, tmp_path: Path, car: dict[str, object]
) -> None:
    """Some tenths of a second of work for a thread that takes a tenth of a core until it is told to stop."""

    def is_written(folder: Path) -> bool:
        server = start_server(base_dir, SERVING_CAPTURE_DIR=str(folder))
        server.wait_until_ready()
        sent = burst(server.port, [car] * 1000)
        server.process.terminate()
        assert server.process.wait(PATIENCE) == 0
        assert not list(folder.rglob("*.part"))
        return captured(folder) == sent

    assert any(is_written(tmp_path / str(number)) for number in range(_TRIES))


def test_traces_that_wait_are_sent_at_the_stop(
    start_server: Callable[..., Any], base_dir: Path, receiver: Any, car: dict[str, object]
) -> None:
    """The receiver takes its time, so that most of them wait."""
    receiver.slow = 0.1

    def is_sent() -> bool:
        server = start_server(base_dir, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url)
        server.wait_until_ready()
        receiver.requests.clear()
        sent = burst(server.port, [car])
        server.process.terminate()
        assert server.process.wait(PATIENCE) == 0
        return traced(receiver) == sent

    assert any(is_sent() for _ in range(_TRIES))
