"""A stop, a clock that jumps, a long time under load: nothing that was accepted is lost, nothing grows."""

import http.client
import json
import os
import select
import signal
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from serving.process.worker import STOP_SECONDS
from tests.serving.conftest import PATIENCE, ROOT
from tests.serving.http.harness import Client, post
from tests.serving.survival.conftest import CAR, Group, children, lives, resident
from tests.serving.survival.load import LOST, REFUSED, RIGHT, UNHEARD, WRONG

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("front", ["protocol", "asgi"])
def test_a_stop_under_load_loses_no_accepted_request(
    start_group: Callable[..., Group], base_dir: Path, front: str
) -> None:
    group = start_group(base_dir, SERVING_FRONT=front)
    workers = children(group.process.process.pid)
    with group.load(callers=16) as load:
        load.wait_for(300)
        begun = time.monotonic()
        group.process.process.send_signal(signal.SIGTERM)
        assert group.process.process.wait(timeout=PATIENCE) == 0
        seconds = time.monotonic() - begun
    seen = load.seen
    assert (seen.outcomes[LOST], seen.outcomes[WRONG], seen.outcomes[REFUSED]) == (0, 0, 0), seen
    # A connection that nobody took over before the port was closed is told so by its reset.
    assert seen.outcomes[UNHEARD] <= 2, seen
    assert seen.outcomes[RIGHT] > 300
    # Nobody was waited for in vain, and then cut.
    assert seconds < STOP_SECONDS / 2
    assert not any(lives(pid) for pid in workers)
    assert "SIGTERM: finishing the accepted requests" in group.process.stderr()
    assert "Traceback" not in group.process.stderr()


def test_who_asks_while_a_stopping_server_stands_still_is_answered(
    start_group: Callable[..., Group], base_dir: Path
) -> None:
    """Their time is over when it goes on, before it has looked whether anybody asked."""
    # One that had closed their connections before it stood still shows nothing.
    answers = (answers_after_a_standstill(start_group(base_dir, SERVING_WORKERS="1")) for _ in range(10))
    assert next((statuses for statuses in answers if statuses), []) == [200] * 4


def answers_after_a_standstill(group: Group) -> list[int]:
    """Statuses of four who are let in, and ask while the worker stands still; none where they were closed before."""
    (worker,) = group.pids()
    raw = post(json.dumps(CAR).encode())
    with ExitStack() as stack:
        clients = [stack.enter_context(Client(group.port)) for _ in range(4)]
        assert [client.send(raw).answer().status for client in clients] == [200] * 4
        group.process.process.send_signal(signal.SIGTERM)
        with suppress(ConnectionError):
            while True:  # nobody is let in any more half a second before the idle are closed
                socket.create_connection(("127.0.0.1", group.port), timeout=PATIENCE).close()
        try:
            os.kill(worker, signal.SIGSTOP)
        except ProcessLookupError:
            return []
        try:
            if select.select([client.socket for client in clients], (), (), 0)[0]:
                return []
            for client in clients:
                client.send(raw)
            time.sleep(1)
        finally:
            os.kill(worker, signal.SIGCONT)
        statuses = [client.answer().status for client in clients]
    assert group.process.process.wait(timeout=PATIENCE) == 0
    return statuses


def test_control_c_reaches_the_whole_group_and_is_as_graceful(
    start_group: Callable[..., Group], base_dir: Path
) -> None:
    group = start_group(base_dir)
    body = json.dumps(CAR).encode()
    connection = http.client.HTTPConnection("127.0.0.1", group.port, timeout=PATIENCE)
    connection.putrequest("POST", "/invocations")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body[:10])
    time.sleep(0.2)
    supervisor = group.process.process
    for worker in children(supervisor.pid):
        os.kill(worker, signal.SIGINT)
    supervisor.send_signal(signal.SIGINT)
    group.process.wait_until_said("SIGINT: finishing the accepted requests")
    time.sleep(0.3)
    connection.send(body[10:])
    answer = connection.getresponse()
    assert (answer.status, len(json.loads(answer.read())["predictions"])) == (200, 1)
    connection.close()
    assert supervisor.wait(timeout=PATIENCE) == 0


def test_a_clock_that_jumps_moves_nothing(start_group: Callable[..., Group], base_dir: Path, tmp_path: Path) -> None:
    """The wall clock as Python sees it is set a day ahead, then a day back, in supervisor and workers."""
    (tmp_path / "sitecustomize.py").write_text(
        "import time\n"
        "from pathlib import Path\n"
        f"offset = Path({str(tmp_path / 'offset')!r})\n"
        "real = time.time\n"
        "def jumped():\n"
        "    return real() + (float(offset.read_text() or 0) if offset.exists() else 0)\n"
        "time.time = jumped\n"
    )
    group = start_group(base_dir, PYTHONPATH=f"{tmp_path}:{ROOT}")
    before = group.pids()
    with group.load() as load:
        for seconds in ("86400", "-86400"):
            (tmp_path / "offset").write_text(seconds)
            load.wait_for(50)
            time.sleep(2.0)
            load.wait_for(50)
    assert set(load.seen.outcomes) == {RIGHT}
    assert group.pids() == before
    assert group.status()["ready"]


def test_memory_does_not_grow(start_group: Callable[..., Group], base_dir: Path) -> None:
    """A short form of the bench's 200,000 requests: pipelined over a few connections, right and wrong ones."""
    group = start_group(base_dir, SERVING_WORKERS="1")
    (worker,) = children(group.process.process.pid)
    ask(group.port, 4000)
    before = resident(worker)
    assert before < 150_000_000
    ask(group.port, 20_000)
    assert resident(worker) - before < 3_000_000


def ask(port: int, count: int) -> None:
    """`count` requests, a third of them refused, fifty at a time on one connection."""
    requests: list[bytes] = []
    for row in (CAR, CAR | {"weight": "heavy"}, CAR):
        body = json.dumps(row).encode()
        head = f"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        requests.append(head.encode() + b"\r\n\r\n" + body)
    batch = b"".join(requests[number % 3] for number in range(48))
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for _ in range(count // 48):
            connection.sendall(batch)
            answers = 0
            tail = b""
            while answers < 48:
                received = connection.recv(1 << 20)
                assert received
                answers += (tail + received).count(b"HTTP/1.1 ") - tail.count(b"HTTP/1.1 ")
                tail = received[-8:]
