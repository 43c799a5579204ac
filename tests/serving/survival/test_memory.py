"""Callers that try to make the server keep what it need not: whatever they do, its memory stays where it is."""

import contextlib
import gzip
import json
import math
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from serving.http.limits import Limits
from tests.serving.conftest import PATIENCE
from tests.serving.http.harness import Client, post
from tests.serving.survival.conftest import CAR, PREDICTION, Group, resident

pytestmark = pytest.mark.slow
MAX_ROWS, MAX_BODY = 1000, 1_000_000
CHUNKED = (
    b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
)


@pytest.fixture(scope="module")
def group(start_group: Callable[..., Group], base_dir: Path) -> Group:
    return start_group(base_dir, SERVING_WORKERS="1", SERVING_ACCESS_LOG="off")


@pytest.fixture
def worker(group: Group) -> Iterator[int]:
    """Its process, which is the same afterwards and answers."""
    (pid,) = group.pids()
    assert_well(group)
    yield pid
    assert_well(group)
    assert group.pids() == [pid]


def assert_well(group: Group) -> None:
    """It answers, though it may first say that it has too much to do."""
    deadline = time.monotonic() + PATIENCE
    while (answer := httpx.post(f"{group.process.url}/invocations", json=CAR, timeout=PATIENCE)).status_code == 503:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert answer.json()["predictions"] == [pytest.approx(PREDICTION, abs=1e-3)]


def test_bodies_in_very_many_chunks(group: Group, worker: int) -> None:
    """A body of 150,000 chunks of one byte is a body, costs no memory and holds nobody up."""
    body = json.dumps(CAR).encode()
    body += b" " * (150_000 - len(body))
    raw = CHUNKED + b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    with Client(group.port) as client:
        client.send(raw)
        assert json.loads(client.answer().body)["predictions"] == [pytest.approx(PREDICTION, abs=1e-3)]
    before = resident(worker)
    # Who is held up is so every time; whom the machine holds up is not.
    assert any(seconds_beside(group, raw) < 2 for _ in range(5))
    assert resident(worker) - before < 20_000_000


def seconds_beside(group: Group, raw: bytes) -> float:
    """How long an ordinary caller waits while six send `raw`, which is answered afterwards.

    Infinite where the machine was so slow that their bodies may not have come in time.
    """
    with contextlib.ExitStack() as stack:
        first = time.monotonic()
        clients = [stack.enter_context(Client(group.port)) for _ in range(6)]
        for client in clients:
            client.send(raw[: len(raw) - 5])
        begun = time.monotonic()
        assert_well(group)
        seconds = time.monotonic() - begun
        for client in clients:
            if time.monotonic() - first > Limits().body_seconds - 5:
                return math.inf
            client.send(raw[len(raw) - 5 :])
            assert client.answer().status == 200
    return seconds


@pytest.mark.parametrize("kind", ["compressed", "cut", "wrong"])
def test_refusals_leave_nothing_behind(group: Group, worker: int, kind: str) -> None:
    """A hundred bodies of almost a megabyte that are refused, late: as large as they are, none of them stays."""
    if kind == "compressed":
        raw = post(gzip.compress(b" " * (MAX_BODY - 1) + b"["), "Content-Encoding: gzip")
    elif kind == "cut":
        raw = post(b"[" + b" " * (MAX_BODY - 2))
    else:
        rows = json.dumps([*[CAR] * 999, CAR | {"weight": "heavy"}]).encode()
        raw = post(rows + b" " * (MAX_BODY - len(rows)))

    def refuse(count: int) -> None:
        with Client(group.port) as client:
            for _ in range(count):
                assert client.send(raw).answer().status == 400

    refuse(20)
    before = resident(worker)
    refuse(100)
    assert resident(worker) - before < 10_000_000


def test_callers_that_do_not_read_are_not_kept_for(group: Group, worker: int) -> None:
    """Forty callers pipeline answers of 1,000 rows and never read one; others are answered, and memory is bounded."""
    before = resident(worker)
    # Who is held up is so every time; whom the machine holds up is not.
    assert any(seconds_beside_the_deaf(group, worker, before) < 2 for _ in range(3))


def seconds_beside_the_deaf(group: Group, worker: int, before: int) -> float:
    """The longest of fifteen waits of an ordinary caller beside forty who do not read."""
    raw = post(json.dumps([list(CAR.values())] * MAX_ROWS).encode())
    slowest, sent = 0.0, 0
    with contextlib.ExitStack() as stack:
        deaf = [stack.enter_context(deaf_caller(group.port)) for _ in range(40)]
        for _ in range(15):
            for connection in deaf:
                with contextlib.suppress(BlockingIOError, ConnectionError):
                    sent += connection.send(raw * 5)
            begun = time.monotonic()
            assert_well(group)
            slowest = max(slowest, time.monotonic() - begun)
        assert sent > 40 * len(raw)
        assert resident(worker) - before < 100_000_000
    group.wait_until(lambda status: status["workers"][0]["connections"] <= 2)
    return slowest


def deaf_caller(port: int) -> socket.socket:
    """A connection with hardly any room for answers."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(("127.0.0.1", port))
    connection.setblocking(False)
    return connection


@pytest.mark.parametrize("more", [0, 1])
def test_a_body_of_exactly_the_limit_is_answered_and_of_a_byte_more_refused(
    group: Group, worker: int, more: int
) -> None:
    body = json.dumps([list(CAR.values())] * MAX_ROWS).encode()
    body += b" " * (MAX_BODY - len(body) + more)
    with Client(group.port) as client:
        answer = client.send(post(body)).answer()
    if more:
        assert (answer.status, answer.error["code"]) == (413, "body_too_large")
    else:
        assert json.loads(answer.body)["predictions"] == [pytest.approx(PREDICTION, abs=1e-3)] * MAX_ROWS
    assert resident(worker) < 200_000_000
