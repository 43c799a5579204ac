"""The load generators: wrk for closed loops, as the peers' own figures are made, `open_loop` for schedules."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.serving.bodies import Body
from benchmarks.serving.places import LOAD_GENERATOR, SOURCES
from benchmarks.serving.servers import pinned


class LoadError(Exception):
    """A load generator failed; the message has what it said."""


@dataclass(frozen=True, kw_only=True)
class Closed:
    """A closed loop: each connection sends its next request when it has its answer. Latencies in microseconds."""

    requests_per_s: float
    sent: int
    p50: float
    p99: float
    failed: int
    """Answers that are no 2xx, and connections that broke."""


@dataclass(frozen=True, kw_only=True)
class Scheduled:
    """Requests at random times. Latencies in microseconds from the moment a request was due, by status."""

    seconds: float
    sent: int
    unsent: int
    """Requests that were due and found no free connection until the end."""
    errors: int
    held: float
    """Seconds in which the generator, which spins while it keeps a schedule, had no processor."""
    due: Mapping[int, Mapping[str, float]]
    """From the schedule: p50, p90, p99, p999, max, mean."""
    own: Mapping[int, Mapping[str, float]]
    """The same from the first byte sent."""
    counts: Mapping[int, int]
    calm: Mapping[int, Mapping[str, float]]
    """As `due`, of the requests that met no moment in which the machine kept the watched server or the generator from
    its processor; empty where no server was watched."""
    calms: Mapping[int, int]
    """How many these are."""


def closed(port: int, path: str, body: Body, *, connections: int, seconds: int, processors: Sequence[int]) -> Closed:
    """Run wrk, with one thread."""
    command = ["wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s"]
    script = ["--timeout", "30s", "--script", str(SOURCES / "wrk.lua"), f"http://127.0.0.1:{port}{path}"]
    environ = {"BENCH_BODY": str(body.file), "BENCH_CONTENT_TYPE": body.content_type, "BENCH_ACCEPT": body.accept}
    return parse_wrk(_run(pinned(processors, command + script), environ))


def parse_wrk(output: str) -> Closed:
    """What wrk.lua wrote in the last line; LoadError when it is not there."""
    document = _last_line(output)
    return Closed(
        requests_per_s=document["requests"] / document["seconds"],
        sent=document["requests"],
        p50=document["p50"],
        p99=document["p99"],
        failed=document["refused"] + document["broken"],
    )


def scheduled(
    port: int,
    path: str,
    body: Body,
    *,
    connections: int,
    rate: float = 0,
    seconds: float = 0,
    count: int = 0,
    processors: Sequence[int],
    watched: int | None = None,
) -> Scheduled:
    """Run `open_loop`: `rate` requests a second at random times (0: closed loop), for `seconds` or `count` requests.

    `watched` is the server's worker, whose waiting for a processor is looked at.
    """
    numbers = [str(connections), f"{rate:.3f}", f"{seconds:.3f}", str(count)]
    if watched is not None:
        numbers.append(str(watched))
    command = [str(LOAD_GENERATOR), str(port), str(body.request(path)), *numbers]
    return parse_scheduled(_run(pinned(processors, command), {}))


def parse_scheduled(output: str) -> Scheduled:
    """What `open_loop` wrote; LoadError when it is no such thing."""
    document = _last_line(output)
    statuses = {int(status): found for status, found in document["statuses"].items()}
    return Scheduled(
        seconds=document["seconds"],
        sent=document["sent"],
        unsent=document["unsent"],
        errors=document["errors"],
        held=document["held"],
        due={status: found["due"] for status, found in statuses.items()},
        own={status: found["sent"] for status, found in statuses.items()},
        counts={status: found["count"] for status, found in statuses.items()},
        calm={status: found["calm"] for status, found in statuses.items() if "calm" in found},
        calms={status: found["calms"] for status, found in statuses.items() if "calms" in found},
    )


def _last_line(output: str) -> dict[str, Any]:
    lines = output.strip().splitlines()
    try:
        return json.loads(lines[-1])
    except (ValueError, IndexError) as error:
        raise LoadError(f"the load generator said: {lines[-1] if lines else 'nothing'}") from error


def _run(command: Sequence[str], environ: Mapping[str, str]) -> str:
    try:
        done = subprocess.run(
            command, env=os.environ | dict(environ), capture_output=True, text=True, check=False, timeout=180
        )
    except subprocess.TimeoutExpired as error:
        raise LoadError(f"{command[3]} did not end") from error
    if done.returncode:
        raise LoadError(f"{command[3]}: {(done.stderr or done.stdout).strip()[-200:]}")
    return done.stdout
