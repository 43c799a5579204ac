"""What an operator may choose of logs, traces and captured traffic; serving/container.py reads the variables."""

from dataclasses import dataclass
from pathlib import Path

from serving.observe.levels import AccessLogs, Level


@dataclass(frozen=True, kw_only=True)
class ObservationSettings:
    """By default: refused and slow requests are logged, nothing is traced, nothing is captured."""

    log_level: Level = "info"
    access_log: AccessLogs = "refused"
    slow_seconds: float | None = None
    """What a slow request is; None for each model's monitor.p99_latency_ms."""
    capture_dir: Path | None = None
    capture_percent: float | None = None
    """None for each model's monitor.capture_percent."""
    otlp_endpoint: str = ""
    trace_ratio: float = 1.0
    """Share of the requests without a traceparent that are traced, at most 50 a second and worker."""
