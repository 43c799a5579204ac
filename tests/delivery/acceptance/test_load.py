"""The load test tells a slow endpoint, a failing one, and takes off the way there and back."""

import socket
from dataclasses import replace
from typing import Any

from delivery.acceptance.asking import Asker
from delivery.acceptance.load import LoadPlan, load, quantile, round_trip_s
from tests.delivery.acceptance.conftest import Deployed

QUICK = LoadPlan(callers=2, seconds=0.2)


def test_a_quick_model_keeps_its_limit(deployed: Deployed) -> None:
    asker, model = deployed()
    # Room for a machine that is busy with other tests, or stands still for a while.
    monitor = model.spec.monitor.model_copy(update={"p99_latency_ms": 60_000})
    answered, latency = load(asker, replace(model, spec=model.spec.model_copy(update={"monitor": monitor})), QUICK)
    assert answered.ok, answered.said
    assert latency.ok, latency.said
    assert "limit 60000 ms" in latency.said


def test_a_slow_model_does_not(deployed: Deployed) -> None:
    answered, latency = load(*deployed(pause_s=0.25), QUICK)
    assert answered.ok
    assert latency.result == "failed"


class _Gone:
    """A runtime that answers once, and then nobody any more."""

    def __init__(self, runtime: Any) -> None:
        self.meta, self._runtime, self._asked = runtime.meta, runtime, 0

    def invoke_endpoint(self, **request: Any) -> Any:
        self._asked += 1
        if self._asked > 1:
            raise ConnectionError("the endpoint is gone")
        return self._runtime.invoke_endpoint(**request)


def test_a_failed_request_is_a_failure(deployed: Deployed) -> None:
    asker, model = deployed()
    (answered,) = load(Asker(runtime=_Gone(asker.runtime), endpoint="cars"), model, LoadPlan(callers=1, seconds=0.05))
    assert answered.result == "failed"
    assert "ConnectionError: the endpoint is gone" in answered.said


def test_the_quantile_is_one_of_the_values() -> None:
    assert quantile([float(value) for value in range(1, 101)], 0.99) == 99
    assert quantile([5.0], 0.99) == 5


def test_the_way_is_measured_to_a_host_that_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        # The best of some, as this process may stand still in between.
        found = [round_trip_s(url) for _ in range(5)]
        assert 0 < min(found) < 1
    assert round_trip_s("http://127.0.0.1:9") == 0
