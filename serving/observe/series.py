"""The part of a worker's region that belongs to one model, release and variant; it describes itself.

A series lies in the region as a header, its description as JSON, and its counts. So any worker can read what any other
counted, also of a model that it has not loaded, and a worker that begins in a used slot finds its counts again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from monitoring.baseline import Baseline, NumberDistribution
from serving.core.service import Service
from serving.observe.distributions import Distribution, distributions_of
from serving.observe.layout import DISTRIBUTIONS
from serving.observe.shared import CELL_BYTES, FIRST_SERIES, Cells

_STATE, _CELLS, _TEXT_BYTES, _ACTIVE, _USED_AT = range(5)
_HEADER: Final = 8
_BLOCK: Final = 64
"""Series begin at multiples of that many cells, so that what one leaves is of use to another."""
_FREE, _TAKEN = 1.0, 2.0
"""States of a header; 0 is memory that nobody has used, where the list of series ends."""


class Description(msgspec.Struct, frozen=True):
    """What the counts are of; the limits are those of the model's specification."""

    model: str = ""
    release: str = ""
    variant: str = ""
    sha256: str = ""
    """Of the artefact's manifest."""
    p99_seconds: float | None = None
    error_rate: float | None = None
    drift_psi: float | None = None
    deviation: float = 1.0
    """Standard deviation of the training predictions, in the target's unit."""
    distributions: tuple[Distribution, ...] = ()

    @property
    def size(self) -> int:
        """Cells of the counts."""
        return DISTRIBUTIONS + sum(len(part.bins) for part in self.distributions)


def describe(service: Service, variant: str) -> Description:
    """The series of `service` as it serves as `variant`."""
    spec, baseline = service.spec, service.artefact.baseline
    return Description(
        model=spec.name,
        release=service.release,
        variant=variant,
        sha256=service.artefact.manifest_sha256,
        p99_seconds=spec.monitor.p99_latency_ms / 1000,
        error_rate=spec.monitor.error_rate,
        drift_psi=spec.monitor.drift_psi,
        deviation=_deviation(baseline),
        distributions=distributions_of(baseline, spec.target_column),
    )


def _deviation(baseline: Baseline) -> float:
    """Of a personal prediction the baseline tells none: differences are in the target's own unit then."""
    known = baseline.prediction.standard_deviation if isinstance(baseline.prediction, NumberDistribution) else 0.0
    return known or 1.0


def parse_description(text: bytes) -> Description:
    """What a series says of itself."""
    return msgspec.json.decode(text, type=Description)


@dataclass(frozen=True, kw_only=True)
class Series:
    """The cells of one series."""

    header: Cells
    text: bytes
    cells: Cells
    """The counts, by the offsets of serving/observe/layout.py."""

    @property
    def active(self) -> bool:
        """Whether a model of this series is serving, and not only its counts are kept."""
        return self.header[_ACTIVE] == 1.0

    @property
    def used_at(self) -> float:
        """When it began to serve, or was retired."""
        return self.header[_USED_AT]

    @property
    def counts(self) -> npt.NDArray[np.float64]:
        """The same cells as an array, to read or to add to."""
        return np.frombuffer(self.cells.cast("B"), dtype=np.float64)

    def activate(self, now: float) -> None:
        """Mark as serving from `now`, seconds of the monotonic clock."""
        self.header[_ACTIVE], self.header[_USED_AT] = 1.0, now

    def retire(self, now: float) -> None:
        """Mark as not serving any more."""
        self.header[_ACTIVE], self.header[_USED_AT] = 0.0, now


def all_series(region: Cells) -> Iterator[Series]:
    """Every series in the region of a slot."""
    for start, length in _places(region):
        if region[start + _STATE] == _TAKEN:
            yield _at(region, start, length)


def claim(region: Cells, description: Description) -> Series:
    """The series of `description` in one's own region: the one that is there, else a new one with zeros.

    Where the region is full, the series that were retired first make room; their counts end, as those of a process do.
    """
    text = msgspec.json.encode(description)
    for found in all_series(region):
        if found.text == text:
            return found
    needed = _HEADER + -(-len(text) // CELL_BYTES) + description.size
    needed = -(-needed // _BLOCK) * _BLOCK
    start = _room(region, needed)
    if start < 0:
        # No room beside what is serving: counted for nobody, and the requests are answered all the same.
        nowhere = _zeros(needed)
        return Series(header=nowhere[:_HEADER], text=text, cells=nowhere[_HEADER : _HEADER + description.size])
    region[start + _HEADER : start + needed] = _zeros(needed - _HEADER)
    region[start + _CELLS], region[start + _TEXT_BYTES] = needed, len(text)
    region[start + _ACTIVE] = region[start + _USED_AT] = 0.0
    region[start + _HEADER : start + needed].cast("B")[: len(text)] = text
    region[start + _STATE] = _TAKEN
    return _at(region, start, needed)


def _zeros(count: int) -> Cells:
    return memoryview(bytearray(count * CELL_BYTES)).cast("d")


def _places(region: Cells) -> Iterator[tuple[int, int]]:
    """Start and length, in cells, of whatever lies in the region."""
    start = FIRST_SERIES
    while start + _HEADER < len(region) and region[start + _STATE]:
        length = int(region[start + _CELLS])
        yield start, length
        start += length


def _room(region: Cells, needed: int) -> int:
    """Where `needed` cells can be had; -1 for nowhere."""
    places = list(_places(region))
    end = places[-1][0] + places[-1][1] if places else FIRST_SERIES
    if end + needed <= len(region):
        return end
    runs = [run for first in range(len(places)) if (run := _retired_run(region, places[first:], needed))]
    if not runs:
        return -1
    _, start, length = min(runs)
    region[start + _STATE] = _FREE
    region[start + _CELLS] = needed
    if length > needed:
        rest = start + needed
        region[rest + _CELLS], region[rest + _ACTIVE], region[rest + _USED_AT] = length - needed, 0.0, 0.0
        region[rest + _STATE] = _FREE
    return start


def _retired_run(region: Cells, places: list[tuple[int, int]], needed: int) -> tuple[float, int, int] | None:
    """Neighbours from the first of `places` on that nobody counts into: when the last was used, start and length."""
    newest, length = 0.0, 0
    for start, cells in places:
        if region[start + _ACTIVE]:
            return None
        newest, length = max(newest, region[start + _USED_AT]), length + cells
        if length >= needed:
            return newest, places[0][0], length
    return None


def _at(region: Cells, start: int, length: int) -> Series:
    text_bytes = int(region[start + _TEXT_BYTES])
    first = start + _HEADER + -(-text_bytes // CELL_BYTES)
    return Series(
        header=region[start : start + _HEADER],
        text=bytes(region[start + _HEADER : first].cast("B")[:text_bytes]),
        cells=region[first : start + length],
    )
