"""Callers in threads that keep asking, and what became of each request."""

import http.client
import json
import select
import socket
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Self

LOST, RIGHT, WRONG, REFUSED, UNHEARD, UNASKED = "lost", "right", "wrong", "refused", "unheard", "unasked"
"""`unheard` is a request on a new connection that was closed before a byte of an answer: nobody had accepted it.
`unasked` is none: a connection that was closed while its caller, which may have stood still, asked for nothing."""


@dataclass
class Seen:
    """What the callers saw; touched under a lock."""

    outcomes: Counter[str] = field(default_factory=Counter[str])
    releases: Counter[str] = field(default_factory=Counter[str])
    slowest: float = 0.0
    unexpected: list[str] = field(default_factory=list[str])


class Load:
    """`callers` threads, each with a connection of its own that it keeps as long as the server does."""

    def __init__(self, port: int, row: dict[str, object], expected: dict[str, float], callers: int = 8) -> None:
        """`expected` is the right prediction by release."""
        self.seen = Seen()
        self._port = port
        self._body = json.dumps(row).encode()
        self._expected = expected
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(callers)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=90)

    def wait_for(self, count: int, release: str | None = None, seconds: float = 60) -> None:
        """Until `count` more requests were answered right, by `release` if that is named."""
        start, deadline = self._count(release), time.monotonic() + seconds
        while self._count(release) < start + count:
            assert time.monotonic() < deadline, f"no answers: {self.seen}"
            time.sleep(0.01)

    def _count(self, release: str | None) -> int:
        with self._lock:
            return self.seen.outcomes[RIGHT] if release is None else self.seen.releases[release]

    def _ask(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            while not self._stop.is_set():
                self._ask_once(connection)
        finally:
            connection.close()

    def _ask_once(self, connection: http.client.HTTPConnection) -> None:
        begun = time.monotonic()
        if connection.sock is not None and _is_readable(connection.sock):
            connection.close()
            self._note(UNASKED, "", 0.0)
        fresh = connection.sock is None
        if fresh:
            try:
                connection.connect()
            except OSError:
                connection.close()
                time.sleep(0.02)
                return
        try:
            connection.request("POST", "/invocations", self._body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            outcome, release = self._judge(answer.status, answer.read())
        except (OSError, http.client.HTTPException) as error:
            outcome, release = (UNHEARD if fresh else LOST), ""
            connection.close()
            with self._lock:
                self.seen.unexpected.append(f"{outcome}: {type(error).__name__}: {error}")
        self._note(outcome, release, time.monotonic() - begun)

    def _judge(self, status: int, body: bytes) -> tuple[str, str]:
        if status != 200:
            return (REFUSED if status == 503 else WRONG), ""
        document: dict[str, Any] = json.loads(body)
        release = str(document["release"])
        right = release in self._expected and abs(document["predictions"][0] - self._expected[release]) < 1e-3
        return (RIGHT if right else WRONG), release

    def _note(self, outcome: str, release: str, seconds: float) -> None:
        with self._lock:
            self.seen.outcomes[outcome] += 1
            self.seen.releases[release] += 1
            self.seen.slowest = max(self.seen.slowest, seconds)


def _is_readable(connection: socket.socket) -> bool:
    """Whether there is something to read: before anything was asked, that is the connection's end."""
    waiting = select.poll()
    waiting.register(connection, select.POLLIN)
    return bool(waiting.poll(0))
