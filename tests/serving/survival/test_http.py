"""What callers do to a real server over real sockets: never a 5xx, never a wrong 200, always a message."""

import contextlib
import gzip
import json
import resource
import socket
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.serving.conftest import PATIENCE
from tests.serving.http.harness import Client, Reply, post

pytestmark = pytest.mark.slow
Car = dict[str, object]
MAX_ROWS, MAX_BODY = 1000, 1_000_000
CSV_ROW = b"4,97,88,2130,14.5,1971,Japan\n"


class Served:
    """The server of this file; every test leaves it well."""

    def __init__(self, process: Any) -> None:
        self.process = process
        self.port: int = process.port

    def connect(self) -> Client:
        return Client(self.port)

    def ask(self, raw: bytes) -> Reply:
        with self.connect() as client:
            return client.send(raw).answer()

    def assert_well(self, car: Car) -> None:
        answer = self.ask(post(json.dumps(car).encode()))
        assert (answer.status, len(json.loads(answer.body)["predictions"])) == (200, 1)

    @property
    def worker(self) -> int:
        """The process that answers: the only child."""
        children = Path(f"/proc/{self.process.process.pid}/task/{self.process.process.pid}/children").read_text()
        return max(int(pid) for pid in children.split())

    def resident_bytes(self) -> int:
        return int(Path(f"/proc/{self.worker}/statm").read_text().split()[1]) * resource.getpagesize()


@pytest.fixture(scope="module")
def process(start_server: Callable[..., Any], base_dir: Path) -> Any:
    # Whether the machine is slow is not asked here.
    started = start_server(base_dir, SERVING_SLOW_MS="600000")
    started.wait_until_ready()
    return started


@pytest.fixture
def served(process: Any, car: Car) -> Iterator[Served]:
    """The server, which answers afterwards with the same process, and has nothing to complain of."""
    one = Served(process)
    worker, said_before = one.worker, len(process.stderr().splitlines())
    yield one
    said = [json.loads(line)["message"] for line in process.stderr().splitlines()[said_before:]]
    assert [text for text in said if text != "request refused"] == []
    one.assert_well(car)
    assert one.worker == worker, process.stderr()


def refused(answer: Reply, status: int = 400) -> dict[str, Any]:
    """The error of a refusal, which must be complete."""
    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == "application/json"
    error = answer.error
    assert set(error) == {"code", "message", "field", "row"}
    assert error["code"]
    assert len(error["message"]) > 10
    return error


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"]",
        b"nul",
        b'"',
        b"{'a': 1}",
        b'{"a" 1}',
        b"[1,]",
        b"{}{}",
        b"[[1]] x",
        b"\0",
        b"01",
        b"// a\n1",
    ],
)
def test_malformed_json(served: Served, body: bytes) -> None:
    assert refused(served.ask(post(body)))["code"] in {"malformed_json", "no_rows"}


def test_json_cut_at_every_byte(served: Served, car: Car) -> None:
    body = json.dumps([car, car]).encode()
    with served.connect() as client:
        for end in range(len(body)):
            refused(client.send(post(body[:end])).answer())
        assert client.send(post(body)).answer().status == 200


@pytest.mark.parametrize("opening", [b"[", b'{"rows":', b'[{"weight":', b'{"a":[{"b":'])
@pytest.mark.parametrize("depth", [500, 100_000])
def test_deep_nesting(served: Served, opening: bytes, depth: int) -> None:
    assert refused(served.ask(post((opening * depth)[:MAX_BODY])))["code"] == "malformed_json"
    closed = opening * 50 + b"1" + bytes(reversed(opening.replace(b"[", b"]").replace(b"{", b"}"))) * 50
    assert refused(served.ask(post(closed)))["code"] in {"malformed_json", "wrong_type", "extra_field", "missing_field"}


def test_a_gzip_bomb_is_refused_and_takes_no_memory(served: Served) -> None:
    bomb = gzip.compress(b" " * 200_000_000, 9)
    assert len(bomb) < MAX_BODY
    before = served.resident_bytes()
    for _ in range(5):
        error = refused(served.ask(post(bomb, "Content-Encoding: gzip")), 413)
        assert error["code"] == "body_too_large"
    assert served.resident_bytes() - before < 30_000_000


def test_a_gzip_body_is_a_body(served: Served, car: Car) -> None:
    packed = gzip.compress(json.dumps([car] * 100).encode())
    answer = served.ask(post(packed, "Content-Encoding: gzip"))
    assert len(json.loads(answer.body)["predictions"]) == 100


@pytest.mark.parametrize("end", [1, 10, 20, -1, -8])
def test_a_gzip_body_that_is_cut_or_changed(served: Served, car: Car, end: int) -> None:
    packed = gzip.compress(json.dumps(car).encode())
    refused(served.ask(post(packed[:end], "Content-Encoding: gzip")))
    changed = bytearray(packed)
    changed[end] ^= 0xFF
    answer = served.ask(post(bytes(changed), "Content-Encoding: gzip"))
    # A byte of the header, such as the time, may be anything; what was packed may not.
    assert answer.status == 400 or (0 < end < 10 and answer.status == 200)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "latin-1"])
def test_text_in_another_encoding(served: Served, car: Car, encoding: str) -> None:
    refused(served.ask(post(json.dumps({**car, "origin": "Jåpan"}, ensure_ascii=False).encode(encoding))))
    body = json.dumps(car).encode(encoding)
    answer = served.ask(post(body).replace(b"application/json", b"application/json; charset=" + encoding.encode()))
    assert refused(answer, 415)["code"] == "unsupported_content_type"


@pytest.mark.parametrize(
    "body", [b'{"weight": "\xff"}', b'["\xed\xa0\x80"]', b"\xef\xbb\xbf\xef\xbb\xbf[1]", b"\x1f\x8b\x08"]
)
def test_bytes_that_are_no_text(served: Served, body: bytes) -> None:
    assert refused(served.ask(post(body)))["code"] == "malformed_json"
    as_csv = refused(served.ask(post(body).replace(b"application/json", b"text/csv")))
    assert as_csv["code"] in {"malformed_csv", "missing_field", "extra_field", "wrong_type"}


@pytest.mark.parametrize(
    "content_type",
    ["", "text/xml", "multipart/form-data", "application/jsonx", "application/x-www-form-urlencoded", ";"],
)
def test_a_content_type_that_is_not_spoken(served: Served, car: Car, content_type: str) -> None:
    raw = post(json.dumps(car).encode())
    kind = f"Content-Type: {content_type}\r\n" if content_type else ""
    error = refused(served.ask(raw.replace(b"Content-Type: application/json\r\n", kind.encode())), 415)
    assert "application/json" in error["message"]


def test_content_that_is_of_another_type(served: Served, car: Car) -> None:
    assert refused(served.ask(post(CSV_ROW)))["code"] == "malformed_json"
    as_csv = refused(served.ask(post(json.dumps(car).encode()).replace(b"application/json", b"text/csv")))
    assert as_csv["code"] in {"malformed_csv", "extra_field", "missing_field", "wrong_type"}


def test_a_length_that_promises_more_than_comes(served: Served, car: Car) -> None:
    body = json.dumps(car).encode()
    raw = post(body).replace(b"Length: %d" % len(body), b"Length: %d" % (len(body) + 10))
    with served.connect() as client:
        client.send(raw)
        client.socket.shutdown(socket.SHUT_WR)
        assert "before the request was complete" in refused(client.answer())["message"]
        assert client.closed()


def test_a_length_that_is_less_than_what_comes(served: Served, car: Car) -> None:
    body = json.dumps(car).encode()
    with served.connect() as client:
        client.send(post(body).replace(b"Length: %d" % len(body), b"Length: %d" % (len(body) - 1)))
        assert refused(client.answer())["code"] == "malformed_json"
        assert refused(client.answer())["code"] == "malformed_request"
        assert client.closed()


@pytest.mark.parametrize("length", ["-1", "1e3", "0x10", "99999999999999999999", "12, 12", "²"])
def test_a_length_that_is_no_number(served: Served, length: str) -> None:
    raw = post(b"").replace(b"Length: 0", f"Length: {length}".encode())
    assert refused(served.ask(raw))["code"] == "malformed_request"


def test_slow_callers_hold_nobody_up_and_are_told_so(served: Served, car: Car) -> None:
    """200 callers send a byte now and then; meanwhile others are answered. After 10 s the slow ones are sent away."""
    tries: list[tuple[float, float]] = []
    # Where the machine itself takes its time, it is tried again.
    while not tries or ((tries[-1][0] >= 0.5 or tries[-1][1] >= 15) and len(tries) < 4):
        tries.append(slow_callers(served, car))
    slowest, seconds = tries[-1]
    assert slowest < 0.5, tries
    assert 9 < seconds < 15, tries


def slow_callers(served: Served, car: Car) -> tuple[float, float]:
    """The longest wait of another caller, and how long it took until all slow ones were sent away."""
    clients = [served.connect() for _ in range(200)]
    slow = post(json.dumps(car).encode())
    begun = time.monotonic()
    slowest = 0.0
    for position in range(12):
        if time.monotonic() - begun > 8:
            break  # they would hardly send another byte before they are sent away
        for client in clients:
            client.send(slow[position : position + 1])
        asked = time.monotonic()
        served.assert_well(car)
        slowest = max(slowest, time.monotonic() - asked)
        time.sleep(0.6)
    for client in clients:
        assert refused(client.answer(), 408)["code"] == "timeout"
        client.socket.close()
    return slowest, time.monotonic() - begun


def test_callers_that_go_away_in_the_middle(served: Served, car: Car) -> None:
    raw = post(json.dumps(car).encode())
    for end in (10, 60, len(raw) - 1, len(raw)):
        for _ in range(50):
            client = served.connect()
            client.send(raw[:end])
            # Closing without lingering sends a reset.
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.socket.close()
        served.assert_well(car)
    deadline = time.monotonic() + PATIENCE
    while open_connections(served) > 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def metrics(process: Any) -> list[str]:
    return httpx.get(f"{process.url}/metrics", timeout=PATIENCE).text.splitlines()


def open_connections(served: Served) -> float:
    (line,) = [line for line in metrics(served.process) if line.startswith("serving_open_connections")]
    return float(line.split()[-1])


def test_ten_thousand_idle_connections(served: Served, car: Car) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 11_000)), hard))
    before = served.resident_bytes()
    sockets: list[socket.socket] = []
    try:
        for _ in range(10_000):
            sockets.append(socket.create_connection(("127.0.0.1", served.port), timeout=PATIENCE))
        # Were they to cost anybody anything, they would every time.
        assert any(usual_seconds(served, car) < 0.05 for _ in range(8))
        with served.connect() as client:
            assert client.send(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n").answer("GET").status == 200
        # Each of them is served, too: the first, the last, one between.
        for number in (0, 5000, 9999):
            sockets[number].sendall(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n")
            assert sockets[number].recv(100).startswith(b"HTTP/1.1 200 OK\r\n")
        assert served.resident_bytes() - before < 10_000 * 10_000
    finally:
        for one in sockets:
            one.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def usual_seconds(served: Served, car: Car) -> float:
    """How long half of fifty callers wait, one after the other."""
    waits: list[float] = []
    for _ in range(50):
        begun = time.monotonic()
        served.assert_well(car)
        waits.append(time.monotonic() - begun)
    return sorted(waits)[25]


def test_more_callers_than_files_are_told_so_and_harm_nobody(
    start_server: Callable[..., Any], base_dir: Path, car: Car
) -> None:
    process = start_server(base_dir, files=300)
    process.wait_until_ready()
    asked = b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n"
    sockets = [socket.create_connection(("127.0.0.1", process.port), timeout=PATIENCE) for _ in range(300 - 128)]
    try:
        for one in sockets:
            one.sendall(asked)
            assert one.recv(1000).startswith(b"HTTP/1.1 200")
        burst = [socket.socket() for _ in range(150)]
        sockets += burst
        for one in burst:
            one.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                one.connect(("127.0.0.1", process.port))
        told = 0
        for one in burst:
            one.settimeout(PATIENCE)
            with contextlib.suppress(OSError):
                one.sendall(asked)
            told += b"too_many_connections" in one.recv(1000)
        assert told == len(burst)
        time.sleep(2)  # a heartbeat that stopped would be noticed by now
        sockets[0].sendall(post(json.dumps(car).encode()))
        assert sockets[0].recv(1000).startswith(b"HTTP/1.1 200")
    finally:
        for one in sockets:
            one.close()
    deadline = time.monotonic() + PATIENCE
    # Until it has seen that they are gone, it has no room for one more.
    while not (restarts := [line for line in metrics(process) if line.startswith("serving_worker_restarts_total")]):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert [float(line.split()[-1]) for line in restarts] == [0, 0]


def test_a_body_over_the_limit(served: Served) -> None:
    announced = post(b"").replace(b"Length: 0", b"Length: 5000000000")
    assert "at most 1000000 bytes" in refused(served.ask(announced), 413)["message"]
    whole = served.ask(post(b" " * 20_000_000))
    assert refused(whole, 413)["code"] == "body_too_large"
    with served.connect() as client:
        client.send(b"POST /invocations HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(17):
            client.send(b"f000\r\n" + b" " * 0xF000 + b"\r\n")
        assert refused(client.answer(), 413)["code"] == "body_too_large"


def test_too_many_rows(served: Served, car: Car) -> None:
    row = list(car.values())
    for body, kind in (
        (json.dumps([row] * (MAX_ROWS + 1)).encode(), b"application/json"),
        (CSV_ROW * (MAX_ROWS + 1), b"text/csv"),
    ):
        answer = served.ask(post(body).replace(b"application/json", kind))
        assert refused(answer, 413)["code"] == "too_many_rows"
    assert served.ask(post(json.dumps([row] * MAX_ROWS).encode())).status == 200


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1e39", '"NaN"', "1" * 400])
@pytest.mark.parametrize("field", ["weight", "displacement", "horsepower"])
def test_numbers_that_are_none_in_json(served: Served, car: Car, number: str, field: str) -> None:
    body = json.dumps({**car, field: 0}).replace(f'"{field}": 0', f'"{field}": {number}')
    error = refused(served.ask(post(body.encode())))
    assert (error["field"], error["row"]) == (field, 0) or error["code"] == "malformed_json"


@pytest.mark.parametrize("number", [b"nan", b"NaN", b"inf", b"-inf", b"Infinity", b"1e999", b"0x10", b"1_000"])
def test_numbers_that_are_none_in_csv(served: Served, number: bytes) -> None:
    body = CSV_ROW + CSV_ROW.replace(b"97", number)
    error = refused(served.ask(post(body).replace(b"application/json", b"text/csv")))
    assert (error["field"], error["row"]) == ("displacement", 1)
