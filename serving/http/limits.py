"""What a caller may take: sizes, counts and times of one connection, and the number of connections."""

import resource
from dataclasses import dataclass

_SPARE_FILES = 128
"""File descriptors left for everything else: listeners, log files, the model's files, and connections above the limit
that are being told so: those that are drained, and two turns' worth from every listener."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Limits of one worker's front. Times are in seconds, sizes in bytes."""

    head_bytes: int = 16_384
    """Request line and headers together; above it 431."""
    headers: int = 100
    """Number of headers; above it 431."""
    target_bytes: int = 8_192
    """The request target (path and query); above it 414."""
    trailer_bytes: int = 4_096
    """Trailer fields behind a chunked body; they are checked and dropped."""
    body_bytes: int = 8_000_000
    """Largest body while no model is loaded; a loaded one says itself (`serving.max_body_bytes`)."""
    pipelined: int = 64
    """Requests of one connection that may be unanswered; reading pauses above it."""
    connections: int = 20_000
    """Open connections; a further one is answered 503 and closed."""
    idle_seconds: float = 75.0
    """Longest time between two requests of a connection."""
    head_seconds: float = 10.0
    """Longest time from a request's first byte to the end of its headers; above it 408."""
    body_seconds: float = 20.0
    """Longest time for a body to arrive, below the 22 s that a stop waits for it; above it 408."""
    write_seconds: float = 20.0
    """Longest time that a caller may leave its answers unread; above it the connection is dropped."""
    drain_seconds: float = 2.0
    """How long the rest of a refused request is taken in, so that the answer is read and not lost to a reset."""
    drain_bytes: int = 32_000_000
    stop_seconds: float = 0.5
    """How long a stopping server goes on accepting, and then reading, for requests that are under way."""
    tick_seconds: float = 0.5
    """How often the times above are looked at."""


def connections_allowed(limits: Limits) -> int:
    """`limits.connections`, or what the process may open: its soft limit of files is raised to the hard one first."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
        except (ValueError, OSError):
            pass  # a sandbox may forbid it: then the soft limit is the limit
    if soft == resource.RLIM_INFINITY:
        return limits.connections
    return max(1, min(limits.connections, soft - _SPARE_FILES))
