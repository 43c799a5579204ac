"""The container's contract with a real process and real sockets."""

import http.client
import json
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.serving.conftest import PATIENCE
from tests.serving.http.harness import Client, post

pytestmark = pytest.mark.slow
Start = Callable[..., Any]


@pytest.fixture(scope="module")
def server(start_server: Start, base_dir: Path) -> Any:
    process = start_server(base_dir, RELEASE="group/3")
    process.wait_until_ready()
    return process


def test_ready_soon_and_says_so(server: Any) -> None:
    (line,) = [line for line in server.stderr().splitlines() if "ready, loaded in" in line]
    assert "auto-mpg ready, loaded in" in line
    assert "group/3" in line


def test_a_prediction_over_a_socket(server: Any, car: dict[str, object]) -> None:
    answer = httpx.post(f"{server.url}/invocations", json=[car] * 3, timeout=PATIENCE)
    assert (answer.status_code, len(answer.json()["predictions"])) == (200, 3)
    assert answer.json()["release"] == "group/3"


def test_head_has_no_body(server: Any) -> None:
    answer = httpx.head(f"{server.url}/", timeout=PATIENCE)
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 1000


def test_refusals_keep_the_connection(server: Any, car: dict[str, object]) -> None:
    # A machine that stands still does so now and then, a server that makes its callers wait does so every time.
    assert any(seconds_of_refusals(server.port, car) < 1.5 for _ in range(5))


def seconds_of_refusals(port: int, car: dict[str, object]) -> float:
    """How long two refusals and two answers take, all over one connection."""
    begun = time.monotonic()
    with Client(port) as client:
        statuses = [client.send(post(json.dumps(row).encode())).answer().status for row in ([], car, {}, car)]
    assert statuses == [400, 200, 400, 200]
    return time.monotonic() - begun


def test_a_body_too_large_is_answered_before_it_is_sent(server: Any) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    connection.putrequest("POST", "/invocations")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", "5000000000")
    connection.endheaders(b"[[")
    answer = connection.getresponse()
    assert answer.status == 413
    assert json.loads(answer.read())["error"]["code"] == "body_too_large"
    connection.close()


def test_a_client_that_sends_all_of_it_still_reads_the_answer(server: Any) -> None:
    answer = httpx.post(f"{server.url}/invocations", content=b" " * 20_000_000, timeout=PATIENCE)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body_too_large")


def test_a_client_that_goes_away_harms_nobody(server: Any) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n[[")
    assert httpx.get(f"{server.url}/ping", timeout=PATIENCE).status_code == 200
    assert "Traceback" not in server.stderr()


def test_a_taken_port_is_one_clear_line(server: Any, start_server: Start, base_dir: Path) -> None:
    second = start_server(base_dir, SAGEMAKER_BIND_TO_PORT=str(server.port))
    assert second.process.wait(timeout=PATIENCE) == 1
    (line,) = second.stderr().splitlines()
    assert line.startswith(f"serving: cannot listen on 127.0.0.1:{server.port}: Address already in use")


@pytest.mark.parametrize("damage", ["changed", "missing", "pinned", "inverted"])
def test_a_wrong_artefact_is_refused_and_never_ready(
    start_server: Start, tmp_path: Path, make_artefact: Callable[..., Path], make_manifest: Start, damage: str
) -> None:
    model = make_artefact(tmp_path / "model")
    environ: dict[str, str] = {}
    if damage == "changed":
        (model / "model.onnx").write_bytes(b"another model")
    elif damage == "missing":
        (model / "baseline.json").unlink()
    elif damage == "inverted":
        (model / "model.onnx").write_bytes(b"no graph, but the sum is right")
        make_manifest(model)
    else:
        environ["MODEL_MANIFEST_SHA256"] = "0" * 64
    process = start_server(tmp_path, **environ)
    statuses: set[int] = set()
    while process.process.poll() is None:
        try:
            statuses.add(httpx.get(f"{process.url}/ping", timeout=5).status_code)
        except httpx.TransportError:
            time.sleep(0.02)
    assert process.process.wait() == 1
    assert statuses <= {503}
    (line,) = process.stderr().splitlines()
    assert f"the model in {model} is refused: " in line


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_finishes_what_was_accepted(
    start_server: Start, base_dir: Path, car: dict[str, object], number: signal.Signals
) -> None:
    process = start_server(base_dir)
    process.wait_until_ready()
    body = json.dumps(car).encode()
    connection = http.client.HTTPConnection("127.0.0.1", process.port, timeout=PATIENCE)
    connection.putrequest("POST", "/invocations")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body[:10])
    time.sleep(0.2)
    process.process.send_signal(number)
    threading.Timer(0.5, connection.send, [body[10:]]).start()
    answer = connection.getresponse()
    assert (answer.status, len(json.loads(answer.read())["predictions"])) == (200, 1)
    connection.close()
    assert process.process.wait(timeout=PATIENCE) == 0
    assert "finishing the accepted requests" in process.stderr()
