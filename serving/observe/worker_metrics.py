"""What /metrics tells of the process group: connections, the queue, and each worker's health and use of the machine."""

import mmap
from collections.abc import Iterator
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from serving.observe import shared

_WORKER: Final = ("worker",)
_GAUGES: Final = (
    ("serving_open_connections", "Open connections.", shared.CONNECTIONS),
    ("serving_queue_depth", "Requests that are accepted and not answered yet.", shared.QUEUE_DEPTH),
)
_COUNTERS: Final = (
    ("serving_accepted_connections_total", "Connections that were accepted.", shared.ACCEPTED_CONNECTIONS),
    ("serving_cancelled_requests_total", "Requests whose caller left before the answer.", shared.CANCELLED),
    ("serving_dropped_log_records_total", "Log records lost since nobody read them.", shared.LOGS_DROPPED),
    ("serving_dropped_shadow_requests_total", "Copies not run, for want of a quiet moment.", shared.SHADOWS_DROPPED),
    ("serving_captured_requests_total", "Requests whose capture was written.", shared.CAPTURED),
    ("serving_exported_traces_total", "Traced requests that the receiver took.", shared.TRACES_EXPORTED),
)


def worker_families(memory: mmap.mmap, now: float) -> Iterator[Metric]:
    """The families; `now` is the monotonic clock, against which heartbeats are told."""
    cells = list(shared.regions(memory))
    for name, help_text, cell in _GAUGES:
        yield GaugeMetricFamily(name, help_text, sum(region[cell] for region in cells))
    for name, help_text, cell in _COUNTERS:
        yield CounterMetricFamily(name, help_text, sum(region[cell] for region in cells))
    yield _by_label(
        ("serving_dropped_captures_total", "Captures that were lost.", "reason"),
        {"queue_full": shared.CAPTURE_DROPPED_FULL, "write_failed": shared.CAPTURE_DROPPED_ERROR},
        cells,
    )
    yield _by_label(
        ("serving_dropped_traces_total", "Traced requests that were lost.", "reason"),
        {"queue_full": shared.TRACES_DROPPED, "not_taken": shared.TRACES_REFUSED},
        cells,
    )
    yield _by_label(
        ("serving_model_swaps_total", "Models put in the place of another one, or refused.", "result"),
        {"done": shared.SWAPS, "refused": shared.SWAPS_FAILED},
        cells,
    )
    yield from _each_worker(cells, now)


def _by_label(about: tuple[str, str, str], by_value: dict[str, int], cells: list[shared.Cells]) -> Metric:
    name, help_text, label = about
    family = CounterMetricFamily(name, help_text, labels=(label,))
    for value, cell in by_value.items():
        family.add_metric((value,), sum(region[cell] for region in cells))
    return family


def _each_worker(cells: list[shared.Cells], now: float) -> Iterator[Metric]:
    """A slot whose worker has not begun yet is not told of."""
    ready = GaugeMetricFamily("serving_worker_ready", "1 while the worker's model answers.", labels=_WORKER)
    heartbeat = GaugeMetricFamily(
        "serving_worker_heartbeat_age_seconds", "Time since the worker's event loop last turned.", labels=_WORKER
    )
    memory = GaugeMetricFamily(
        "serving_worker_resident_memory_bytes", "Resident memory, with what workers share.", labels=_WORKER
    )
    cpu = CounterMetricFamily(
        "serving_worker_cpu_seconds_total", "Processor time of all workers of the slot.", labels=_WORKER
    )
    restarts = CounterMetricFamily(
        "serving_worker_restarts_total", "Workers that were replaced, and why.", labels=("worker", "reason")
    )
    for slot, region in enumerate(cells):
        worker = str(slot)
        restarts.add_metric((worker, "died"), region[shared.RESTARTS] - region[shared.STUCK])
        restarts.add_metric((worker, "stuck"), region[shared.STUCK])
        if not region[shared.PID]:
            continue
        ready.add_metric((worker,), region[shared.READY])
        memory.add_metric((worker,), region[shared.RESIDENT_BYTES])
        cpu.add_metric((worker,), region[shared.CPU_SECONDS])
        if region[shared.HEARTBEAT]:
            heartbeat.add_metric((worker,), max(now - region[shared.HEARTBEAT], 0.0))
    yield from (ready, heartbeat, memory, cpu, restarts)
