"""Starts, stops and swaps that come at the wrong moment, or all at once."""

import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from serving.process.worker import STOP_SECONDS
from tests.serving.conftest import BIAS, PATIENCE, WEIGHTS
from tests.serving.http.harness import Client, get
from tests.serving.survival.conftest import CAR, PREDICTION, Group, children, wait_until_gone
from tests.serving.survival.load import LOST, REFUSED, RIGHT, WRONG

pytestmark = pytest.mark.slow
Make = Callable[..., Any]


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory, make_artefact: Make, make_graph: Make) -> Path:
    """A model that predicts 10 more, with 60 MB of numbers that nobody needs: it takes its time to load."""
    model = onnx.load_from_string(make_graph(WEIGHTS, BIAS + 10))
    model.graph.initializer.append(numpy_helper.from_array(np.zeros(15_000_000, dtype=np.float32), "unused"))
    return make_artefact(tmp_path_factory.mktemp("large") / "model", model.SerializeToString())


@pytest.mark.parametrize("tenths", [0, 1, 2, 3, 4, 6, 8, 10])
def test_a_stop_while_it_starts_is_a_stop(start_server: Make, base_dir: Path, tenths: int) -> None:
    """SIGTERM from the first moment on: the process ends soon, leaves nobody behind and says nothing of a failure."""
    process = start_server(base_dir, SERVING_WORKERS="2")
    time.sleep(tenths / 10)
    workers = children(process.process.pid)
    process.process.send_signal(signal.SIGTERM)
    # Before Python runs our first line the signal ends the process by itself.
    assert process.process.wait(timeout=STOP_SECONDS) in (0, -signal.SIGTERM)
    wait_until_gone(workers)
    assert "Traceback" not in process.stderr()


def test_nobody_is_sent_to_a_server_that_cannot_answer_yet(start_server: Make, large: Path) -> None:
    """From the first moment on: `/ping` is refused or 503, then 200 for good, and everybody is answered."""
    process = start_server(large.parent, SERVING_WORKERS="2")
    seen: list[int] = []
    deadline = time.monotonic() + 2 * PATIENCE
    while seen.count(200) < 20:
        assert time.monotonic() < deadline, process.stderr()
        try:
            seen.append(httpx.get(f"{process.url}/ping", timeout=PATIENCE).status_code)
        except httpx.ConnectError:
            time.sleep(0.002)
            continue
        if seen[-1] == 200:
            answer = httpx.post(f"{process.url}/invocations", json=CAR, timeout=PATIENCE)
            assert answer.json()["predictions"] == [pytest.approx(PREDICTION + 10, abs=1e-3)]
    assert set(seen[: seen.index(200)]) <= {503}
    assert set(seen[seen.index(200) :]) == {200}


def test_a_stop_while_a_swap_loads_loses_nothing(start_group: Make, base_dir: Path, large: Path) -> None:
    group: Group = start_group(base_dir)
    answers: list[object] = []

    def swap() -> None:
        try:
            answers.append(group.swap(large, release="large")[0])
        except OSError as error:
            answers.append(type(error))

    with group.load({"": PREDICTION, "large": PREDICTION + 10}, callers=8) as load:
        load.wait_for(100)
        swapping = begun(swap)
        while not is_under_way(group, swapping):
            # It was done before anybody could look: then another one.
            assert set(answers) == {200}
            assert len(answers) < 20
            swapping = begun(swap)
        done = len(answers)
        group.process.process.send_signal(signal.SIGTERM)
        assert group.process.process.wait(timeout=PATIENCE) == 0
    swapping.join(timeout=PATIENCE)
    assert not swapping.is_alive()
    assert len(answers) == done + 1
    assert (load.seen.outcomes[LOST], load.seen.outcomes[WRONG], load.seen.outcomes[REFUSED]) == (0, 0, 0), load.seen
    assert "Traceback" not in group.process.stderr()


def begun(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def is_under_way(group: Group, swapping: threading.Thread) -> bool:
    """Whether the swap is seen before it is done."""
    while swapping.is_alive():
        if group.status()["swapping"]:
            return True
        time.sleep(0.005)
    return False


def test_idle_connections_do_not_hold_up_a_stop(start_group: Make, base_dir: Path) -> None:
    """Fifty callers that were answered and keep their connections: each is told by its end, and nobody waits."""
    group: Group = start_group(base_dir)
    clients = [Client(group.port) for _ in range(50)]
    for client in clients:
        assert client.send(get("/ping")).answer("GET").status == 200
    begun = time.monotonic()
    group.process.process.send_signal(signal.SIGTERM)
    assert group.process.process.wait(timeout=PATIENCE) == 0
    # Nobody was waited for in vain, and then cut.
    assert time.monotonic() - begun < STOP_SECONDS / 2
    for client in clients:
        assert client.closed()
        client.socket.close()


def test_many_swaps_at_once_are_one_after_another(start_group: Make, base_dir: Path, large: Path) -> None:
    """Six who swap at the same time, again and again: each is done everywhere or refused with its reason."""
    group: Group = start_group(base_dir)
    small = base_dir / "model"

    def swap(number: int) -> tuple[int, dict[str, Any]]:
        return group.swap(large if number % 2 else small, release="large" if number % 2 else "small")

    expected = {"": PREDICTION, "small": PREDICTION, "large": PREDICTION + 10}
    with group.load(expected) as load, ThreadPoolExecutor(6) as pool:
        load.wait_for(50)
        outcomes = list(pool.map(swap, range(30)))
        load.wait_for(50)
        refused = [answer["error"] for status, answer in outcomes if status == 409]
        assert {status for status, _ in outcomes} == {200, 409}
        assert set(refused) == {"another swap is under way; try again when it is done"}
        (model,) = group.status()["models"]
        with httpx.Client(headers={"Connection": "close"}, timeout=PATIENCE) as client:
            seen = {client.post(f"{group.process.url}/invocations", json=CAR).json()["release"] for _ in range(20)}
        assert seen == {model["release"]}
    assert set(load.seen.outcomes) == {RIGHT}
    assert group.status()["swaps"] == len(outcomes) - len(refused)
    group.process.end()


def test_a_worker_that_is_killed_while_it_swaps_leaves_one_model(
    start_group: Make, base_dir: Path, large: Path
) -> None:
    """Whenever the worker dies, all have the new model in the end, or all have the old one, as the answer says."""
    group: Group = start_group(base_dir)
    outcomes: list[tuple[int, dict[str, Any]]] = []
    expected = {"": PREDICTION, "large": PREDICTION + 10}
    with group.load(expected) as load:
        for milliseconds in (0, 40, 150):
            group.wait_until_whole()
            assert group.swap(base_dir / "model", release="")[0] == 200
            swapping = threading.Thread(target=lambda: outcomes.append(group.swap(large, release="large")))
            victim = group.pids()[0]
            swapping.start()
            time.sleep(milliseconds / 1000)
            os.kill(victim, signal.SIGKILL)
            swapping.join(timeout=PATIENCE)
            # Until it was seen to be dead, it counts as ready.
            group.wait_until(lambda status, dead=victim: status["workers"][0]["pid"] != dead)
            group.wait_until_whole()
            status, answer = outcomes[-1]
            assert (status, answer["swapped"]) in ((200, True), (409, False)), answer
            release = "large" if status == 200 else ""
            with httpx.Client(headers={"Connection": "close"}, timeout=PATIENCE) as client:
                seen = {client.post(f"{group.process.url}/invocations", json=CAR).json()["release"] for _ in range(20)}
            assert seen == {release}
        load.wait_for(50)
    assert load.seen.outcomes[WRONG] == 0
    # Each of the eight callers has one request under way when its worker is killed.
    assert load.seen.outcomes[LOST] <= 8 * len(outcomes)
    group.process.end()
