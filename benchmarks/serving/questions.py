"""What is asked of our own server alone, each question with a server process of its own."""

import contextlib
import http.client
import statistics
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Final

from benchmarks.serving.bodies import Body
from benchmarks.serving.figures import ROUNDS
from benchmarks.serving.load import Scheduled, scheduled
from benchmarks.serving.servers import START_SECONDS, Server, WrongAnswerError, free_port
from benchmarks.serving.targets import OURS, TARGETS, our_command
from benchmarks.serving.turn import CONNECTIONS, MANY, Bench

FORMATS: Final = {"JSON": "rows", "CSV": "csv", "Arrow IPC": "arrow", "raw tensor": "tensor"}
TOTAL_REQUESTS: Final = 200_000
_SLICES = 10
_OVERLOAD_CONNECTIONS = 512
_COUNTS = ("refused", "others")
"""Of these the rounds are added up; of all else the median is told."""
_PATH = "/invocations"
Answers = dict[str, float]


@dataclass(frozen=True, kw_only=True)
class _Running:
    """Our server, and its load."""

    server: Server
    bench: Bench

    def closed(self, body: Body, connections: int = CONNECTIONS) -> float:
        """Requests a second of a closed loop; WrongAnswerError when one of them was refused or failed."""
        found = self.scheduled(body, connections=connections, seconds=self.bench.seconds)
        if found.errors or set(found.counts) != {200}:
            raise WrongAnswerError(f"{body.content_type}: answers by status {found.counts}, {found.errors} errors")
        return found.counts[200] / found.seconds

    def scheduled(
        self,
        body: Body,
        *,
        connections: int,
        rate: float = 0,
        seconds: float = 0,
        count: int = 0,
        watched: bool = False,
    ) -> Scheduled:
        """Requests at random times, or with `rate` 0 in a closed loop."""
        return scheduled(
            self.server.port,
            _PATH,
            body,
            connections=connections,
            rate=rate,
            seconds=seconds,
            count=count,
            processors=self.bench.cores.load,
            watched=self.server.worker() if watched else None,
        )


@contextlib.contextmanager
def _ours(bench: Bench, workers: int = 1) -> Generator[_Running]:
    port = free_port()
    processors = bench.cores.server if workers == 1 else (*bench.cores.load, *bench.cores.server)
    target = next(target for target in TARGETS if target.name == OURS)
    command = our_command(port, SERVING_WORKERS=str(workers))
    with Server("question", command, port, processors) as server:
        server.wait_for(target, bench.body(target.form, 1), bench.expected(1))
        # One worker's answer says nothing of the others; /ping is 200 when all of them have loaded the model.
        while server.ask("GET", "/ping")[0] != 200:
            time.sleep(0.01)
        running = _Running(server=server, bench=bench)
        running.closed(bench.body("rows", 1))
        yield running


def formats(bench: Bench) -> Answers:
    """Requests a second of 256 rows in each format, interleaved."""
    found: dict[str, list[float]] = {}
    with _ours(bench) as ours:
        bodies = {name: bench.body(form, MANY) for name, form in FORMATS.items()}
        taken = {name: sent for name, sent in bodies.items() if ours.server.ask("POST", _PATH, sent)[0] == 200}
        for _ in range(ROUNDS):
            for name, sent in taken.items():
                found.setdefault(name, []).append(ours.closed(sent))
    return {name: statistics.median(rates) for name, rates in found.items()}


def workers(bench: Bench) -> Answers:
    """Requests a second with one worker and with two, whose processors the load generator shares."""
    found: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for count in (1, 2):
            with _ours(bench, count) as ours:
                for title, rows in {"one row": 1, "256 rows": MANY}.items():
                    rate = ours.closed(bench.body("rows", rows))
                    found.setdefault(f"{title}, {count}", []).append(rate)
    return {name: statistics.median(rates) for name, rates in found.items()}


def steady(bench: Bench) -> Answers:
    """Latencies (µs) at random arrivals, half as many a second as a closed loop of 32 reaches."""
    p50: list[float] = []
    p99: list[float] = []
    calm: list[tuple[float, float]] = []
    body = bench.body("rows", 1)
    with _ours(bench) as ours:
        capacity = ours.closed(body)
        unsent = sent = failed = calms = 0
        held = took = 0.0
        # The first callers on so many connections pay for the kernel's and the server's memory.
        ours.scheduled(body, connections=256, rate=capacity / 4, seconds=0.5)
        for _ in range(ROUNDS):
            seen = ours.scheduled(body, connections=256, rate=capacity / 2, seconds=2 * bench.seconds, watched=True)
            p50.append(seen.due[200]["p50"])
            p99.append(seen.due[200]["p99"])
            if 200 in seen.calm:
                calm.append((seen.calm[200]["p50"], seen.calm[200]["p99"]))
                calms += seen.calms[200]
            unsent += seen.unsent
            sent += seen.sent
            failed += _failed(seen)
            held += seen.held
            took += seen.seconds
    return {
        "capacity": capacity,
        "held": held / took,
        "p50": statistics.median(p50),
        "p99": statistics.median(p99),
        "calm p50": statistics.median(p50 for p50, _ in calm) if calm else float("nan"),
        "calm p99": statistics.median(p99 for _, p99 in calm) if calm else float("nan"),
        "calm": calms / sent,
        "unsent": float(unsent),
        "sent": float(sent),
        "failed": float(failed),
    }


def _failed(seen: Scheduled) -> int:
    """Requests that were sent and not answered with 200."""
    return seen.errors + sum(count for status, count in seen.counts.items() if status != 200)


def overload(bench: Bench) -> Answers:
    """256 rows a request from 512 callers: as many a second as a closed loop reaches, and three times as many.

    One row a request is not asked: three times its capacity is more than one processor can send.
    """
    body = bench.body("rows", MANY)
    rounds: list[Answers] = []
    with _ours(bench) as ours:
        capacity = ours.closed(body)
        for _ in range(ROUNDS):
            at, above = (
                ours.scheduled(
                    body, connections=_OVERLOAD_CONNECTIONS, rate=times * capacity, seconds=2 * bench.seconds
                )
                for times in (1, 3)
            )
            rounds.append(overloaded(capacity, at, above))
    return {name: (sum if name in _COUNTS else statistics.median)([one[name] for one in rounds]) for name in rounds[0]}


def overloaded(capacity: float, at: Scheduled, above: Scheduled) -> Answers:
    """What is told of a schedule at the capacity and of one above it. Latencies in µs from the first byte sent."""
    others = sum(count for status, count in above.counts.items() if status not in {200, 503})
    return {
        "capacity": capacity,
        "sent a second": above.sent / above.seconds,
        "p99 at capacity": at.own[200]["p99"] if 200 in at.own else float("nan"),
        "refused at capacity": _failed(at) / at.sent,
        "p99 accepted": above.own[200]["p99"] if 200 in above.own else float("inf"),
        "accepted a second": above.counts.get(200, 0) / above.seconds,
        "p99 refused": above.own[503]["p99"] if 503 in above.own else 0.0,
        "max refused": above.own[503]["max"] if 503 in above.own else 0.0,
        "refused": float(above.counts.get(503, 0)),
        "others": float(others + above.errors),
    }


def start(bench: Bench) -> Answers:
    """Seconds from the start of the process to a `/ping` that says 200, and memory after load."""
    seconds: list[float] = []
    for _ in range(ROUNDS + 2):
        port = free_port()
        with Server("start", our_command(port), port, bench.cores.server) as server:
            seconds.append(_until_ping(server))
    return {"seconds": statistics.median(seconds), "most": max(seconds)}


def _until_ping(server: Server) -> float:
    while time.perf_counter() - server.began < START_SECONDS:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if server.ask("GET", "/ping")[0] == 200:
                return time.perf_counter() - server.began
        time.sleep(0.005)
    raise WrongAnswerError(f"/ping never said 200: {server.last_words()}")


def memory(bench: Bench) -> Answers:
    """Resident bytes after each tenth of 200,000 requests of one row: the last, and the growth since the first."""
    body = bench.body("rows", 1)
    seen: list[int] = []
    with _ours(bench) as ours:
        ours.closed(bench.body("rows", MANY))
        for _ in range(_SLICES):
            done = ours.scheduled(body, connections=CONNECTIONS, count=TOTAL_REQUESTS // _SLICES)
            if done.counts.get(200, 0) != TOTAL_REQUESTS // _SLICES:
                raise WrongAnswerError(f"answers by status: {done.counts}")
            seen.append(ours.server.resident_bytes())
        shared = ours.server.proportional_bytes()
    return {"resident": float(seen[-1]), "proportional": float(shared), "growth": float(seen[-1] - seen[0])}


QUESTIONS: Final[Mapping[str, Callable[[Bench], Answers]]] = {
    "formats": formats,
    "workers": workers,
    "steady": steady,
    "overload": overload,
    "start": start,
    "memory": memory,
}
