"""What a real server with two workers shows of itself over real sockets: /metrics, log and captured traffic."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.serving.conftest import PATIENCE, keep_free_port

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[3]
Start = Callable[..., Any]


def until(condition: Callable[[], bool]) -> None:
    """Wait for what the server does a moment after an answer: it counts, logs, captures and traces behind it."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def total(server: Any, name: str, **labels: str) -> float:
    text = httpx.get(f"{server.url}/metrics", timeout=PATIENCE).text
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def answered(server: Any) -> float:
    return total(server, "serving_requests_total", status="200")


def post(server: Any, **sent: Any) -> httpx.Response:
    return httpx.post(f"{server.url}/invocations", timeout=PATIENCE, **sent)


def ask(server: Any, car: dict[str, object], count: int) -> None:
    """`count` requests over connections of their own, so that both workers get some; all are counted at the end.

    Not one more: whoever answers counts behind the answer, and another worker may tell before that.
    """
    before = answered(server)
    for number in range(count):
        assert post(server, json=car, headers={"x-request-id": f"r-{number}"}).status_code == 200
    until(lambda: answered(server) >= before + count)
    assert answered(server) == before + count


@pytest.fixture(scope="module")
def capture_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("capture")


@pytest.fixture(scope="module")
def server(start_server: Start, base_dir: Path, capture_dir: Path) -> Any:
    process = start_server(
        base_dir, RELEASE="group/3", SERVING_WORKERS="2", SERVING_CAPTURE_DIR=str(capture_dir), SERVING_SLOW_MS="60000"
    )
    process.wait_until_ready()
    return process


def test_any_worker_tells_for_all(server: Any, car: dict[str, object]) -> None:
    ask(server, car, 30)
    assert {answered(server) for _ in range(6)} == {30}
    assert total(server, "serving_worker_ready") == 2
    until(
        lambda: total(server, "serving_stage_seconds_count", stage="total", model="auto-mpg", release="group/3") == 30
    )


def test_openmetrics_over_the_socket(server: Any) -> None:
    headers = {"accept": "application/openmetrics-text;version=1.0.0"}
    answer = httpx.get(f"{server.url}/metrics", headers=headers, timeout=PATIENCE)
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


def test_promtool_finds_the_real_output_right(server: Any) -> None:
    text = httpx.get(f"{server.url}/metrics", timeout=PATIENCE).content
    promtool = ROOT / ".tools" / "bin" / "promtool"
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")


def test_refusals_are_logged_without_what_was_sent(server: Any, car: dict[str, object]) -> None:
    answer = post(server, json=car | {"weight": 987654}, headers={"x-request-id": "a-wrong-one"})
    assert answer.status_code == 400
    server.wait_until_said("a-wrong-one")
    records = [json.loads(line) for line in server.stderr().splitlines()]
    (record,) = [record for record in records if record.get("request_id") == "a-wrong-one"]
    assert (record["level"], record["status"], record["code"]) == ("warning", 400, "out_of_range")
    assert "987654" not in server.stderr()
    assert not [record for record in records if record.get("request_id") == "r-0"], "what is well is not logged"


def test_a_killed_worker_is_counted_and_loses_no_counts(server: Any, car: dict[str, object]) -> None:
    ask(server, car, 10)
    before = answered(server)
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    os.kill(int(children[0]), signal.SIGKILL)

    def is_whole_again() -> bool:
        try:
            restarts = total(server, "serving_worker_restarts_total", reason="died")
            return restarts >= 1 and total(server, "serving_worker_ready") == 2
        except httpx.TransportError:
            return False  # the one that dies may have let this caller in

    until(is_whole_again)
    assert answered(server) == before
    ask(server, car, 10)
    assert answered(server) == before + 10


def test_traffic_is_captured_and_finished_when_the_server_stops(
    start_server: Start, base_dir: Path, tmp_path: Path, car: dict[str, object]
) -> None:
    server = start_server(base_dir, RELEASE="group/3", SERVING_WORKERS="2", SERVING_CAPTURE_DIR=str(tmp_path / "kept"))
    server.wait_until_ready()
    ask(server, car, 20)
    until(lambda: total(server, "serving_captured_requests_total") == 20)
    server.process.terminate()
    assert server.process.wait(PATIENCE) == 0
    files = list((tmp_path / "kept" / "auto-mpg" / "main").rglob("*.jsonl"))
    events = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    assert {event["eventMetadata"]["inferenceId"] for event in events} == {f"r-{number}" for number in range(20)}
    assert {event["drivetrain"]["release"] for event in events} == {"group/3"}
    assert not list(tmp_path.rglob("*.part"))


@pytest.fixture
def deaf(base_dir: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A server whose stderr is a pipe that nobody reads, filled to the brim."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    try:
        while True:
            os.write(writing, bytes(4096))
    except BlockingIOError:
        pass
    os.set_blocking(writing, True)
    kept = keep_free_port()
    port = kept.getsockname()[1]
    environ = {
        "SAGEMAKER_BASE_DIR": str(base_dir),
        "SAGEMAKER_BIND_TO_PORT": str(port),
        "SERVING_HOST": "127.0.0.1",
        "SERVING_WORKERS": "1",
        "SERVING_ACCESS_LOG": "all",
        "PYTHONPATH": str(ROOT),
    }
    process = subprocess.Popen([sys.executable, "-m", "serving", "serve"], env=os.environ | environ, stderr=writing)
    yield process, f"http://127.0.0.1:{port}"
    process.kill()
    process.wait()
    kept.close()
    os.close(reading)
    os.close(writing)


def test_nobody_reading_the_log_stops_nothing(
    deaf: tuple[subprocess.Popen[bytes], str], car: dict[str, object]
) -> None:
    process, url = deaf
    with httpx.Client(base_url=url, timeout=PATIENCE) as client:

        def is_ready() -> bool:
            try:
                return client.get("/ping").status_code == 200
            except httpx.TransportError:
                return False

        until(is_ready)
        # Twice as fast as httpx, of which a test of 1500 requests is mostly made.
        plain = http.client.HTTPConnection("127.0.0.1", int(url.rpartition(":")[2]), timeout=PATIENCE)
        body, headers = json.dumps(car), {"content-type": "application/json"}
        took: list[float] = []
        for _ in range(1500):
            begun = time.perf_counter()
            plain.request("POST", "/invocations", body, headers)
            answer = plain.getresponse()
            assert (answer.status, bool(answer.read())) == (200, True)
            took.append(time.perf_counter() - begun)
        plain.close()
        text = client.get("/metrics").text
    (dropped,) = [line for line in text.splitlines() if line.startswith("serving_dropped_log_records_total ")]
    assert float(dropped.split()[1]) > 400
    assert sorted(took)[-5] < 1, "but for those in which the machine stood still"
    process.terminate()
    assert process.wait(PATIENCE) == 0


def test_a_callers_trace_goes_on_in_the_server(
    start_server: Start, base_dir: Path, receiver: Any, car: dict[str, object]
) -> None:
    server = start_server(base_dir, SERVING_WORKERS="1", OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url)
    server.wait_until_ready()
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    for flags in ("01", "00"):
        headers = {"traceparent": f"00-{trace}-00f067aa0ba902b7-{flags}", "x-request-id": f"flags-{flags}"}
        assert post(server, json=car, headers=headers).status_code == 200
    until(lambda: len(receiver.spans()) >= 5)
    server.process.terminate()
    assert server.process.wait(PATIENCE) == 0
    spans = receiver.spans()
    assert [span.name for span in spans] == ["decode", "queue", "inference", "encode", "POST /invocations"]
    assert {span.trace_id.hex() for span in spans} == {trace}
    assert "flags-01" in {item.value.string_value for item in spans[-1].attributes}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB, mounted for the test: it needs root, as the tests' packages do."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], check=True)
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


def test_a_full_disk_harms_no_request_and_captures_go_on_when_there_is_room(
    start_server: Start, base_dir: Path, small_disk: Path, car: dict[str, object]
) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(60 * 1024))
    server = start_server(base_dir, SERVING_WORKERS="1", SERVING_CAPTURE_DIR=str(small_disk))
    server.wait_until_ready()
    ask(server, car, 60)
    until(lambda: total(server, "serving_dropped_captures_total", reason="write_failed") > 0)
    server.wait_until_said("No space left on device")
    records = [json.loads(line) for line in server.stderr().splitlines()]
    (complaint,) = [record["message"] for record in records if record["level"] == "error"]
    assert complaint.endswith("No space left on device; requests go on")
    ballast.unlink()
    before = total(server, "serving_captured_requests_total")

    def captures_again() -> bool:
        ask(server, car, 1)
        return total(server, "serving_captured_requests_total") > before

    until(captures_again)
    server.process.terminate()
    assert server.process.wait(PATIENCE) == 0
    lines = [line for file in small_disk.rglob("*.jsonl") for line in file.read_text().splitlines()]
    assert lines
    assert all(json.loads(line)["eventVersion"] == "0" for line in lines), "no line is torn"


def test_what_is_not_configured_is_not_loaded() -> None:
    script = (
        "import sys; from serving.observe import shared; from serving.observe.observation import Observation; "
        "from serving.observe.settings import ObservationSettings; "
        "Observation(shared.allocate(1), 0, ObservationSettings()); print('opentelemetry' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_what_the_front_refuses_counts_for_a_variant(start_server: Start, base_dir: Path, tmp_path: Path) -> None:
    places = [{"name": name, "folder": str(base_dir / "model"), "weight": 1} for name in ("blue", "green")]
    file = tmp_path / "variants.json"
    file.write_text(json.dumps({"variants": places}), encoding="utf-8")
    server = start_server(base_dir, SERVING_VARIANTS=str(file))
    server.wait_until_ready()
    green = {"x-amzn-sagemaker-target-variant": "green"}
    with httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
        for headers in ({}, {}, green):
            assert client.get("/nowhere", headers=headers).status_code == 404
        assert client.get("/invocations", headers=green).status_code == 405
        broken = client.post("/invocations", content=b"{}", headers={**green, "content-encoding": "gzip"})
        assert broken.status_code == 400
    assert post(server, content=b" " * 1_000_001).status_code == 413
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
        connection.sendall(b"nonsense\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 400 ")
    counted = {
        (variant, reason): total(server, "serving_rejections_total", variant=variant, model="auto-mpg", reason=reason)
        for variant in ("blue", "green")
        for reason in ("not_found", "method_not_allowed", "body_too_large", "malformed_encoding", "malformed_request")
    }
    assert {key: count for key, count in counted.items() if count} == {
        ("blue", "not_found"): 2,
        ("green", "not_found"): 1,
        ("green", "method_not_allowed"): 1,
        ("blue", "body_too_large"): 1,
        ("green", "malformed_encoding"): 1,
        ("blue", "malformed_request"): 1,
    }
    assert total(server, "serving_requests_total", variant="blue", status="404") == 2
