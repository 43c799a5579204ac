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
from tests.serving.conftest import PATIENCE
from tests.serving.http.harness import Client, post
from tests.serving.survival.conftest import CAR

pytestmark = pytest.mark.slow
CALLERS = 24
GOOD_SECONDS = 0.5
"""On a quiet machine nearly all are answered within a tenth of a second."""
TRIES = 5
"""Who stands behind a flood does so every time; whom the machine holds up is not held up every time."""
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
                while not stop.is_set():
                    statuses.append(client.send(request).answer().status)
                    if anew:
                        break

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(CALLERS)]
    for thread in threads:
        thread.start()
    try:
        yield statuses
    finally:
        stop.set()
        for thread in threads:
            thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads), "every one of them is answered, too"


@pytest.mark.parametrize(("kind", "anew"), [("cut off", False), ("cut off", True), ("nested", True), ("lines", False)])
def test_who_sends_what_is_right_does_not_wait_behind_a_flood_of_refusals(server: Any, kind: str, anew: bool) -> None:
    body = BAD[kind]
    request = body if body.startswith(b"POST") else post(body)
    with flood(server.port, request, anew=anew) as statuses:
        while len(statuses) < CALLERS // 4:
            time.sleep(0.01)
        best = next((longest for _ in range(TRIES) if (longest := last_but_one(server.port)) < GOOD_SECONDS), None)
        refused = len(statuses)
    assert set(statuses) <= {400, 413}
    assert "is killed" not in server.stderr(), "its event loop went on turning"
    assert refused > CALLERS // 4, "the flood went on"
    assert best is not None, "29 of 30"


def last_but_one(port: int) -> float:
    """What the slowest but one of thirty answers took, in seconds."""
    good, seconds = post(json.dumps(CAR).encode()), list[float]()
    with Client(port) as client:
        for _ in range(30):
            begun = time.monotonic()
            assert client.send(good).answer().status == 200
            seconds.append(time.monotonic() - begun)
            time.sleep(0.02)
    return sorted(seconds)[-2]
