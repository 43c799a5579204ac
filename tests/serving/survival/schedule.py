"""Requests that are sent by a schedule, whatever became of those before, from one thread."""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import uvloop

from tests.serving.conftest import PATIENCE
from tests.serving.survival.conftest import CAR

_WEIGHTS = range(2000, 2500)
_AT_WEIGHT_0 = 35.61 + 0.005 * 2130
"""What the model of tests/serving/conftest.py says of CAR, were it to weigh nothing; each pound takes 0.005 off."""
_STEP = 0.001
Request = tuple[bytes, float]
"""A request and the prediction that answers it."""


@dataclass(frozen=True)
class Heard:
    """An answer."""

    status: int
    seconds: float
    """From its request on."""
    right: bool
    """Whether a 200 has this request's own prediction, and a 503 says when to come again."""


@dataclass
class Outcome:
    """What became of a schedule."""

    heard: list[Heard] = field(default_factory=list[Heard])
    unsent: int = 0
    """Requests whose time had come when every connection was still waiting for an answer."""
    lost: int = 0
    """Connections that were closed."""

    def seconds(self, status: int) -> list[float]:
        """How long answers of that status took, the shortest first."""
        return sorted(one.seconds for one in self.heard if one.status == status)


def requests(*headers: str) -> list[Request]:
    """Cars of different weights, one a request."""
    made: list[Request] = []
    for weight in _WEIGHTS:
        body = json.dumps(CAR | {"weight": weight}).encode()
        lines = ["POST /invocations HTTP/1.1", "Host: x", "Content-Type: application/json", *headers]
        head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""])
        made.append((head.encode() + body, _AT_WEIGHT_0 - 0.005 * weight))
    return made


class _Caller(asyncio.Protocol):
    """A connection with at most one request under way."""

    def __init__(self, outcome: Outcome, idle: "list[_Caller]") -> None:
        self._outcome, self._idle = outcome, idle
        self._transport: asyncio.Transport | None = None
        self._read = b""
        self._sent = self._expected = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._idle.append(self)

    def ask(self, request: Request) -> None:
        assert self._transport is not None
        self._sent, self._expected = time.monotonic(), request[1]
        self._transport.write(request[0])

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        self._read += data
        head, ended, body = self._read.partition(b"\r\n\r\n")
        lower = head.lower()
        if not ended or len(body) < int(lower.partition(b"\r\ncontent-length: ")[2].split(b"\r\n")[0]):
            return
        status = int(head[9:12])
        if status == 200:
            right = abs(json.loads(body)["predictions"][0] - self._expected) < 1e-3
        else:
            right = b"\r\nretry-after: " in lower and json.loads(body)["error"]["code"] == "overloaded"
        self._outcome.heard.append(Heard(status, now - self._sent, right))
        self._read = b""
        self._idle.append(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._outcome.lost += 1

    def close(self) -> None:
        assert self._transport is not None
        self._transport.abort()


async def _send(port: int, asked: Sequence[Request], connections: int, rate: float, seconds: float) -> Outcome:
    outcome, idle = Outcome(), list[_Caller]()
    loop = asyncio.get_running_loop()
    for _ in range(connections):
        await loop.create_connection(lambda: _Caller(outcome, idle), "127.0.0.1", port)
    callers, number, first = list(idle), 0, time.monotonic()
    while (passed := time.monotonic() - first) < seconds:
        # As many as are due by now; without a rate, as many as there are connections that wait for nothing.
        due = int(rate * passed) - number if rate else len(idle)
        for _ in range(due):
            number += 1
            if idle:
                idle.pop(0).ask(asked[number % len(asked)])
            else:
                outcome.unsent += 1
        await asyncio.sleep(_STEP)
    deadline = time.monotonic() + PATIENCE
    while len(idle) + outcome.lost < connections and time.monotonic() < deadline:
        await asyncio.sleep(_STEP)
    lost = max(outcome.lost, connections - len(idle))
    for caller in callers:
        caller.close()
    await asyncio.sleep(0.05)
    outcome.lost = lost
    return outcome


def send(port: int, asked: Sequence[Request], *, connections: int, rate: float, seconds: float) -> Outcome:
    """Send `rate` requests a second for `seconds`; with rate 0, the next on each connection when it is answered."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_send(port, asked, connections, rate, seconds))
