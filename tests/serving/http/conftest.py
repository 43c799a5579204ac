"""The fronts, in the loop of a thread."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
import uvloop

from serving.http.fronts import FRONTS, FrontName
from serving.http.limits import Limits
from tests.serving.http.harness import PATIENCE, Server


@pytest.fixture(scope="session")
def run() -> Iterator[Callable[[Coroutine[Any, Any, Any]], Any]]:
    """Runs a coroutine in the loop of a thread, to its end."""
    loop = uvloop.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield lambda coroutine: asyncio.run_coroutine_threadsafe(coroutine, loop).result(PATIENCE)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture(scope="session", params=FRONTS)
def server(request: pytest.FixtureRequest, run: Any) -> Iterator[Server]:
    """Each front, shared by all tests that leave it as it was."""
    started = Server(run, request.param, Limits(drain_seconds=0.5))
    yield started
    started.stop()


@pytest.fixture
def serve(run: Any) -> Iterator[Callable[..., Server]]:
    """Start a front of the test's own."""
    started: list[Server] = []

    def start(name: FrontName = "protocol", **limits: Any) -> Server:
        started.append(Server(run, name, Limits(**limits)))
        return started[-1]

    yield start
    for one in started:
        one.stop()
