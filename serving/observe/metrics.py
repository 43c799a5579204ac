"""What a worker counts, once per batch, in the memory that all workers share.

The event loop's thread is the only writer of its region. A batch costs a few microseconds, whatever it holds; the
distributions of inputs and predictions are counted for every batch while there is time, and for a sample of the batches
when there are many (rows that were counted are counted themselves, so that shares stay right).
"""

import contextlib
import mmap
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from serving.core.errors import RequestError
from serving.core.job import Answer, Answered, Job
from serving.core.service import Service
from serving.observe import exposition, layout, shared
from serving.observe.batch import Batch, Called, Follower, is_trial
from serving.observe.distributions import Binner
from serving.observe.inputs import InputCounts, input_counts
from serving.observe.series import Description, Series, all_series, claim, describe

_SAMPLE_EVERY_SECONDS: Final = 0.005
"""Batches that follow one another faster than that are sampled: 200 a second at 50 µs are 1 % of a core."""
_SAMPLE_ROWS: Final = 256
"""Most rows of one batch that are counted, evenly spread: thousands took half as long as the model itself."""
_NO_FEATURES: Final = np.empty((_SAMPLE_ROWS, 0), dtype=np.float32)
_STATM: Final = Path("/proc/self/statm")
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")


_OK: Final = layout.STATUS_CELL[200]
_FAILED: Final = layout.STATUS_CELL[500]
_INTERNAL: Final = layout.REASON_CELL["internal"]
_ANSWERS: Final = {Answer}
"""The types of the answers where all went well."""
_QUEUE, _DECODE, _INFERENCE, _ENCODE, _TOTAL = (layout.STAGE[stage] for stage in layout.STAGES)


class _Current:
    """A series that is being counted into."""

    def __init__(self, series: Series, description: Description, binner: Binner | None) -> None:
        self.series = series
        self.cells = series.cells
        self.deviation = description.deviation
        self.binner = binner
        self.bins = series.counts[layout.DISTRIBUTIONS : description.size]


class Observer:
    """Counts for one worker, and tells for all of them."""

    def __init__(
        self,
        memory: mmap.mmap,
        slot: int = 0,
        *,
        followers: Sequence[Follower] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take over `slot` of `memory` (see shared.allocate), whose counts go on."""
        self.cells: Final = shared.region(memory, slot)
        self._memory = memory
        self._clock = clock
        self._followers = tuple(followers)
        self._current: dict[tuple[str, str, str], _Current] = {}
        self._variants: dict[str, _Current] = {}
        self._last: tuple[Service, str, _Current] | None = None
        self._sample_after = 0.0
        self._cpu_seconds = time.process_time()
        shared.begin(self.cells, pid=os.getpid(), now=clock())
        for series in all_series(self.cells):
            series.retire(clock())

    def serving(self, service: Service, variant: str = "") -> None:
        """`service` takes the requests of `variant` from now on; what is under way for another is still counted."""
        current = self._claim(service, variant)
        before = self._variants.get(variant)
        if before is not None and before is not current:
            before.series.retire(self._clock())
        current.series.activate(self._clock())
        self._variants[variant] = current
        kept = (before, *self._variants.values())
        self._current = {key: other for key, other in self._current.items() if other in kept}
        self._last = None

    def batch(
        self,
        service: Service,
        jobs: Sequence[Job],
        answered: Answered,
        queued_seconds: Sequence[float],
        decode_seconds: float,
        *,
        calls: Sequence[Called] = (),
        variant: str = "",
    ) -> None:
        """Count `jobs`, which were answered together.

        `queued_seconds` is the time of each job from its arrival to this batch, its own decoding included, and
        `decode_seconds` what all of them took to decode. `calls` are the requests in the order of `jobs`.
        """
        current = self._series(service, variant)
        cells, requests = current.cells, len(jobs)
        failed = 0
        if set(map(type, answered.answers)) != _ANSWERS:
            failed = sum(isinstance(answer, RequestError) for answer in answered.answers)
            cells[_FAILED] += failed
            cells[_INTERNAL] += failed
        cells[_OK] += requests - failed
        rows = len(answered.predictions)
        cells[layout.ROWS] += rows
        layout.BATCH_ROWS.observe(cells, rows)
        layout.BATCH_REQUESTS.observe(cells, requests)
        _count_stages(cells, answered, queued_seconds, decode_seconds / requests)
        self._sample(current, jobs, answered, calls)
        for follower in self._followers:
            follower.batch(Batch(service, variant, jobs, answered, queued_seconds, decode_seconds / requests, calls))

    def refused(self, status: int, code: str, *, call: Called | None = None, variant: str = "") -> None:
        """Count a request that was refused with an HTTP `status` and the stable word `code`."""
        current = self._variants.get(variant) or self._nameless(variant)
        current.cells[layout.STATUS_CELL.get(status, layout.OTHER_STATUS)] += 1
        current.cells[layout.REASON_CELL.get(code, layout.OTHER_REASON)] += 1
        for follower in self._followers:
            follower.refused(status, code, variant, call)

    def shadow(self, service: Service, live: Answered, shadow: Answered | None, variant: str) -> None:
        """Count a batch that `service` answered too as the shadow `variant`; None for `shadow` when it failed."""
        current = self._series(service, variant)
        cells = current.cells
        cells[layout.SHADOWED] += len(live.answers)
        if shadow is None or shadow.predictions.shape != live.predictions.shape:
            cells[layout.SHADOW_FAILED] += len(live.answers)
            return
        differences = np.abs(shadow.predictions - live.predictions) / current.deviation
        differences = differences[np.isfinite(differences)]
        if differences.size:
            layout.SHADOW_DIFFERENCE.observe_all(cells, layout.Values(differences.tolist()))

    def connections(self, change: int) -> None:
        """A connection was opened (+1) or closed (-1)."""
        self.cells[shared.CONNECTIONS] += change
        if change > 0:
            self.cells[shared.ACCEPTED_CONNECTIONS] += change

    def queue_depth(self, requests: int) -> None:
        """So many requests are accepted and not answered."""
        self.cells[shared.QUEUE_DEPTH] = requests

    def cancelled(self) -> None:
        """A caller went away before its answer."""
        self.cells[shared.CANCELLED] += 1

    def swapped(self, *, succeeded: bool) -> None:
        """A model was to be put in the place of another."""
        self.cells[shared.SWAPS if succeeded else shared.SWAPS_FAILED] += 1

    def tick(self, *, ready: bool, idle_seconds: float = 0.0) -> None:
        """What the worker does a few times a second: its heartbeat, whether it is ready, and what it uses.

        Of its processor time it spent `idle_seconds` on looking for work in vain.
        """
        cells = self.cells
        cells[shared.HEARTBEAT] = self._clock()
        cells[shared.READY] = ready
        if ready:
            cells[shared.LOADED] = 1
        used = time.process_time()
        cells[shared.CPU_SECONDS] += max(used - self._cpu_seconds - idle_seconds, 0.0)
        self._cpu_seconds = used
        with contextlib.suppress(OSError):  # no file is free: that must not cost the next heartbeat
            cells[shared.RESIDENT_BYTES] = int(_STATM.read_bytes().split()[1]) * _PAGE_BYTES

    def loading(self) -> list[int]:
        """The slots whose first worker is not ready yet."""
        return [slot for slot, cells in enumerate(shared.regions(self._memory)) if not cells[shared.LOADED]]

    def text(self) -> bytes:
        """All workers' metrics in Prometheus' text format."""
        return self.exposition("")[1]

    def exposition(self, accept: str) -> tuple[str, bytes]:
        """Content type and body of /metrics, as the Accept header asks: Prometheus' text format or OpenMetrics."""
        return exposition.expose(self._memory, accept, now=self._clock())

    def input_counts(self, service: Service) -> InputCounts:
        """How what `service` was sent is distributed, by all workers' sampled counts."""
        return input_counts(self._memory, service.artefact.manifest_sha256)

    def _series(self, service: Service, variant: str) -> _Current:
        last = self._last
        if last is not None and last[0] is service and last[1] == variant:
            return last[2]
        known = self._variants.get(variant)
        if known is None or known.binner is None:
            self.serving(service, variant)
        current = self._claim(service, variant)
        self._last = (service, variant, current)
        return current

    def _claim(self, service: Service, variant: str) -> _Current:
        key = (service.artefact.manifest_sha256, service.release, variant)
        current = self._current.get(key)
        if current is None:
            description = describe(service, variant)
            current = _Current(
                claim(self.cells, description),
                description,
                Binner(service.artefact.baseline, service.spec.target_column),
            )
            self._current[key] = current
        return current

    def _nameless(self, variant: str) -> _Current:
        """Where requests are counted that came before any model was there."""
        description = Description(variant=variant)
        self._variants[variant] = _Current(claim(self.cells, description), description, None)
        return self._variants[variant]

    def _sample(self, current: _Current, jobs: Sequence[Job], answered: Answered, calls: Sequence[Called]) -> None:
        now = self._clock()
        if now < self._sample_after or current.binner is None or any(map(is_trial, calls)):
            return
        self._sample_after = now + _SAMPLE_EVERY_SECONDS
        step = -(-len(answered.predictions) // _SAMPLE_ROWS)
        predictions = answered.predictions[::step]
        matrix = _matrix(jobs)[::step] if current.binner.features else _NO_FEATURES[: len(predictions)]
        current.bins += current.binner.count(matrix, predictions)
        current.cells[layout.SAMPLED_ROWS] += len(predictions)


def _matrix(jobs: Sequence[Job]) -> npt.NDArray[np.float32]:
    """The rows of all jobs [N, F]."""
    rows = [np.asarray(job.values, dtype=np.float32).reshape(job.rows, -1) for job in jobs]
    return rows[0] if len(rows) == 1 else np.concatenate(rows)


def _count_stages(cells: shared.Cells, answered: Answered, queued: Sequence[float], decode: float) -> None:
    values, requests = layout.Values(queued), len(queued)
    inference, encode = answered.inference_seconds, answered.encode_seconds
    _QUEUE.observe_all(cells, values, -decode)
    _DECODE.observe(cells, decode, requests)
    _INFERENCE.observe(cells, inference, requests)
    _ENCODE.observe(cells, encode, requests)
    _TOTAL.observe_all(cells, values, inference + encode)
