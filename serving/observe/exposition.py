"""/metrics: the counts of all workers as metric families, which prometheus_client writes.

What is told of a worker has the label `worker` (the slot's number); everything else is the sum over workers.
"""

import mmap
import platform
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, cast

import onnxruntime  # pyright: ignore[reportMissingTypeStubs]
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from serving.observe.model_metrics import model_families
from serving.observe.worker_metrics import worker_families


def expose(memory: mmap.mmap, accept: str, *, now: float) -> tuple[str, bytes]:
    """Content type and text of all metrics, in the format that the header `accept` asks for.

    `now` is the monotonic clock, against which heartbeats are told.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Memory(memory, now))
    encode, content_type = choose_encoder(accept)
    return content_type, encode(registry)


class _Memory(Collector):
    """What a registry collects from: the shared memory, read anew each time."""

    def __init__(self, memory: mmap.mmap, now: float) -> None:
        self._memory = memory
        self._now = now

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: names need not be known before they are collected."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Every family."""
        yield _build_info()
        yield from worker_families(self._memory, self._now)
        yield from model_families(self._memory)


@cache
def _build_info() -> Metric:
    """Which versions answer."""
    family = GaugeMetricFamily(
        "serving_build_info", "Versions of what serves; the value is always 1.", labels=("onnxruntime", "python")
    )
    family.add_metric((str(cast("Any", onnxruntime).__version__), platform.python_version()), 1)
    return family
