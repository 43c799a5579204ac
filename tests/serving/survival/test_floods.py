"""A flood of requests whose refusal takes long, and a caller that does nothing wrong meanwhile."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from serving.http.fronts import FRONTS
from tests.serving.http.harness import Client, post
from tests.serving.survival.conftest import CAR

pytestmark = pytest.mark.slow
CALLERS = 24
GOOD_SECONDS = 0.5
"""On a quiet machine nearly all are answered within a tenth of a second."""
BAD = {
    "cut off": b"[" + b",".join([json.dumps(CAR).encode()] * 7000) + b",{",
    "nested": b"[" + b"[[1],{}]," * 100_000 + b"1]",
    "lines": post(b"1,2\n" * 200_000).replace(b"application/json", b"text/csv"),
}


@pytest.fixture(scope="module", params=FRONTS)
def server(request: pytest.FixtureRequest, start_server: Callable[..., Any], base_dir: Path) -> Any:
    started = start_server(base_dir, SERVING_FRONT=request.param, SERVING_ACCESS_LOG="off")
    started.wait_until_ready()
    return started


@contextmanager
def flood(port: int, request: bytes, *, anew: bool) -> Iterator[list[int]]:
    """Callers that send `request` again and again, over new connections or their own; the statuses that they got."""
    stop, statuses = threading.Event(), list[int]()

    def ask() -> None:
        while not stop.is_set():
            with Client(port) as client:
                client.socket.settimeout(30)
                while not stop.is_set():
                    statuses.append(client.send(request).answer().status)
                    if anew:
                        break

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(CALLERS)]
    for thread in threads:
        thread.start()
    yield statuses
    stop.set()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads), "every one of them is answered, too"


@pytest.mark.parametrize(("kind", "anew"), [("cut off", False), ("cut off", True), ("nested", True), ("lines", False)])
def test_who_sends_what_is_right_does_not_wait_behind_a_flood_of_refusals(server: Any, kind: str, anew: bool) -> None:
    body = BAD[kind]
    request = body if body.startswith(b"POST") else post(body)
    good, seconds = post(json.dumps(CAR).encode()), list[float]()
    port: int = server.port
    with flood(port, request, anew=anew) as statuses:
        while len(statuses) < CALLERS // 4:
            time.sleep(0.01)
        with Client(port) as client:
            for _ in range(30):
                begun = time.monotonic()
                assert client.send(good).answer().status == 200
                seconds.append(time.monotonic() - begun)
                time.sleep(0.02)
        refused = len(statuses)
    assert set(statuses) <= {400, 413}
    assert "is killed" not in server.stderr(), "its event loop went on turning"
    assert refused > CALLERS // 4, "the flood went on"
    assert sorted(seconds)[-2] < GOOD_SECONDS, "29 of 30"
