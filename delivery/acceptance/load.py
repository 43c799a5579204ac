"""Whether a deployed model keeps its promise of speed while several callers ask at once.

The way there and back is not the endpoint's: how long a connection takes to open is measured and taken off.
"""

import math
import socket
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from delivery.acceptance.asking import Asker
from delivery.acceptance.findings import Check, checked
from delivery.acceptance.released import ReleasedModel

_CONNECTIONS = 5


@dataclass(frozen=True, kw_only=True)
class LoadPlan:
    """How many callers ask, one request after the other, for how long; each asks at least once."""

    callers: int = 4
    seconds: float = 10.0


@dataclass
class _Measured:
    latencies: list[float] = field(default_factory=list[float])
    failures: list[str] = field(default_factory=list[str])


def load(asker: Asker, model: ReleasedModel, plan: LoadPlan) -> list[Check]:
    """Ask for that long; every answer has to be a prediction, and 99 in 100 within the model's limit."""
    asker.predict(model.rows[:1])  # the first request opens the connection
    way_s = round_trip_s(str(asker.runtime.meta.endpoint_url))
    measured = _Measured()
    ending = time.monotonic() + plan.seconds
    threads = [threading.Thread(target=_ask, args=(asker, model, ending, measured)) for _ in range(plan.callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    count, failed = len(measured.latencies), len(measured.failures)
    answered = f"{count} answered, {failed} failed" + (f", first: {measured.failures[0]}" if failed else "")
    checks = [
        checked("load", f"{plan.callers} callers for {plan.seconds:g} s", ok=count > 0 and not failed, said=answered)
    ]
    if measured.latencies:
        limit = model.spec.monitor.p99_latency_ms
        found = 1000 * max(0.0, quantile(measured.latencies, 0.99) - way_s)
        rate = count / plan.seconds
        said = f"{found:.0f} ms (limit {limit:g} ms) at {rate:.0f} requests/s; way there and back {1000 * way_s:.1f} ms"
        checks.append(checked("load", "p99 latency", ok=found <= limit, said=said))
    return checks


def quantile(values: list[float], part: float) -> float:
    """The smallest of `values` that at least this part of them does not exceed."""
    return sorted(values)[max(0, math.ceil(part * len(values)) - 1)]


def round_trip_s(url: str) -> float:
    """Seconds until a TCP connection to the host is open: one way there and back. 0 where that cannot be measured."""
    address = urlsplit(url)
    port = address.port or (80 if address.scheme == "http" else 443)
    found: list[float] = []
    for _ in range(_CONNECTIONS):
        began = time.perf_counter()
        try:
            with socket.create_connection((address.hostname or "", port), timeout=5):
                found.append(time.perf_counter() - began)
        except OSError:
            return 0.0
    return sorted(found)[len(found) // 2]


def _ask(asker: Asker, model: ReleasedModel, ending: float, measured: _Measured) -> None:
    rows, number = model.rows, 0
    while not number or time.monotonic() < ending:
        number += 1
        try:
            reply = asker.predict([rows[number % len(rows)]])
        except Exception as error:  # whatever a caller sees is a failure
            measured.failures.append(f"{type(error).__name__}: {error}")
            continue
        if reply.status == 200 and reply.predictions:
            measured.latencies.append(reply.seconds)
        else:
            measured.failures.append(str(reply))
