"""What the serving dashboard shows, as data: rows of panels with their PromQL.

Every figure comes from /metrics of the serving container or from monitoring/prometheus/serving.rules.yml.
"""

from dataclasses import dataclass
from typing import Final, Literal

_MODEL: Final = 'job=~"$job", model=~"$model"'
_JOB: Final = 'job=~"$job"'


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A graph: PromQL by legend."""

    title: str
    queries: dict[str, str]
    unit: str = "short"
    """One of Grafana's units: s, reqps, percentunit, bytes, short."""
    description: str = ""
    kind: Literal["timeseries", "stat", "heatmap", "bargauge"] = "timeseries"


def _quantile(share: float, name: str, stage: str = "") -> str:
    labels = f'{_MODEL}, stage="{stage}"' if stage else _MODEL
    return f"histogram_quantile({share}, sum by (le) (rate({name}_bucket{{{labels}}}[$__rate_interval])))"


def _mean(name: str) -> str:
    return (
        f"sum(rate({name}_sum{{{_MODEL}}}[$__rate_interval])) / sum(rate({name}_count{{{_MODEL}}}[$__rate_interval]))"
    )


def _rate(name: str, by: str, labels: str = _MODEL) -> str:
    return f"sum by ({by}) (rate({name}{{{labels}}}[$__rate_interval]))"


_STAGES: Final = ("queue", "decode", "inference", "encode")
ROWS: Final[dict[str, tuple[Panel, ...]]] = {
    "Is it well": (
        Panel(
            title="Workers that answer",
            queries={"{{instance}}": f"sum by (instance) (serving_worker_ready{{{_JOB}}})"},
            kind="stat",
        ),
        Panel(
            title="Models",
            queries={
                "{{model}} {{variant}} {{release}}": (
                    f"count by (model, variant, release) (serving_model_info{{{_MODEL}}})"
                )
            },
            description="Workers' containers that serve each release.",
            kind="stat",
        ),
        Panel(
            title="Failed requests",
            queries={
                "failed": f'sum(rate(serving_requests_total{{{_MODEL}, status=~"5.."}}[$__rate_interval]))'
                f' / sum(rate(serving_requests_total{{{_MODEL}, status!~"4.."}}[$__rate_interval]))',
                "limit": f"max(serving_limit_error_ratio{{{_MODEL}}})",
            },
            unit="percentunit",
            description="What callers did wrong (4xx) is left out, or a flood of it would hide what fails here.",
        ),
    ),
    "Requests": (
        Panel(
            title="Requests by status", queries={"{{status}}": _rate("serving_requests_total", "status")}, unit="reqps"
        ),
        Panel(
            title="Latency",
            queries={
                "p50": _quantile(0.5, "serving_stage_seconds", "total"),
                "p99": _quantile(0.99, "serving_stage_seconds", "total"),
                "limit": f"max(serving_limit_p99_seconds{{{_MODEL}}})",
            },
            unit="s",
            description="From the request's arrival to its encoded answer, inside the server.",
        ),
        Panel(
            title="Rejections by reason",
            queries={"{{reason}}": _rate("serving_rejections_total", "reason")},
            unit="reqps",
        ),
        Panel(
            title="Stages, 99th percentile",
            queries={stage: _quantile(0.99, "serving_stage_seconds", stage) for stage in _STAGES},
            unit="s",
        ),
        Panel(title="Rows", queries={"{{model}}": _rate("serving_rows_total", "model")}, description="Per second."),
        Panel(
            title="Batches",
            queries={"requests": _mean("serving_batch_requests"), "rows": _mean("serving_batch_rows")},
            description="How much goes through the model together, on average.",
        ),
    ),
    "Room": (
        Panel(
            title="Queue and connections",
            queries={
                "waiting requests": f"sum(serving_queue_depth{{{_JOB}}})",
                "open connections": f"sum(serving_open_connections{{{_JOB}}})",
            },
        ),
        Panel(
            title="Processor, by worker",
            queries={"{{instance}}/{{worker}}": _rate("serving_worker_cpu_seconds_total", "instance, worker", _JOB)},
            unit="percentunit",
        ),
        Panel(
            title="Memory, by worker",
            queries={
                "{{instance}}/{{worker}}": f"sum by (instance, worker) (serving_worker_resident_memory_bytes{{{_JOB}}})"
            },
            unit="bytes",
        ),
        Panel(
            title="Workers replaced",
            queries={
                "{{instance}} {{reason}}": (
                    f"sum by (instance, reason) (increase(serving_worker_restarts_total{{{_JOB}}}[$__rate_interval]))"
                )
            },
        ),
        Panel(
            title="Callers who left",
            queries={"{{instance}}": _rate("serving_cancelled_requests_total", "instance", _JOB)},
            unit="reqps",
        ),
        Panel(
            title="Heartbeat's age",
            queries={
                "{{instance}}/{{worker}}": f"max by (instance, worker) (serving_worker_heartbeat_age_seconds{{{_JOB}}})"
            },
            unit="s",
        ),
    ),
    "Data": (
        Panel(
            title="Drift of predictions",
            queries={
                "{{model}}": f"max by (model) (serving:prediction_psi:1h{{{_MODEL}}})",
                "limit": f"max(serving_limit_drift_psi{{{_MODEL}}})",
            },
            description="Population stability index against the training rows, over an hour of sampled requests.",
        ),
        Panel(
            title="Drift of features",
            queries={"{{feature}}": f"max by (feature) (serving:input_psi:1h{{{_MODEL}}})"},
            description="Population stability index against the training rows, over an hour of sampled requests.",
        ),
        Panel(
            title="Predictions by bin",
            queries={"{{bin}}": f"sum by (bin) (increase(serving_prediction_rows_total{{{_MODEL}}}[1h]))"},
            kind="bargauge",
        ),
        Panel(
            title="Shadow's difference",
            queries={
                "p50": _quantile(0.5, "serving_shadow_difference"),
                "p99": _quantile(0.99, "serving_shadow_difference"),
            },
            description="In standard deviations of the training predictions.",
        ),
        Panel(
            title="Captured requests",
            queries={
                "kept": _rate("serving_captured_requests_total", "job", _JOB),
                "lost, {{reason}}": _rate("serving_dropped_captures_total", "reason", _JOB),
            },
            unit="reqps",
        ),
        Panel(
            title="Lost logs and traces",
            queries={
                "log records": _rate("serving_dropped_log_records_total", "job", _JOB),
                "traces, {{reason}}": _rate("serving_dropped_traces_total", "reason", _JOB),
            },
            unit="reqps",
        ),
    ),
}
