"""What is counted for one model, release and variant, and which cell holds which count.

Label values come from here and from the model's own files, never from a request: their number is bounded, whatever
callers send.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

from serving.observe.shared import Cells
from serving.page.refusals import ELSEWHERE, REFUSALS

STATUSES: Final = tuple(sorted({200, *REFUSALS, *ELSEWHERE}))
"""HTTP statuses that are told apart; every other one counts as `other`."""
REASONS: Final = tuple(
    sorted({code for _, codes in REFUSALS.values() for code in codes} | {code for _, code in ELSEWHERE.values()})
)
"""Error codes that are told apart; every other one counts as `other`."""
OTHER: Final = "other"
STAGES: Final = ("queue", "decode", "inference", "encode", "total")
_SECONDS: Final = (
    *(0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.005, 0.01),
    *(0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0),
)
_SIZES: Final = tuple(float(2**power) for power in range(13))
_DEVIATIONS: Final = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
"""Shadow differences, in standard deviations of the training predictions, so that one scale suits all models."""


class Histogram:
    """Cells from `first` on: one count a bucket, the last one without an upper edge, then the sum of the values."""

    __slots__ = ("edges", "end", "first", "sum")

    def __init__(self, first: int, edges: tuple[float, ...]) -> None:
        """`edges` are upper edges that belong to their bucket, as Prometheus' `le`."""
        self.first: Final = first
        self.edges: Final = edges
        self.sum: Final = first + len(edges) + 1
        """The cell of the sum."""
        self.end: Final = self.sum + 1
        """The first cell behind the histogram."""

    def observe(self, cells: Cells, value: float, times: int = 1) -> None:
        """Count `value`, `times` over."""
        cells[self.first + bisect_left(self.edges, value)] += times
        cells[self.sum] += value * times

    def observe_all(self, cells: Cells, values: "Values", shift: float = 0.0) -> None:
        """Count each of `values` plus `shift`. Those of one batch mostly share a bucket, which is one addition."""
        edges, first = self.edges, self.first
        lowest = bisect_left(edges, values.lowest + shift)
        highest = bisect_left(edges, values.highest + shift)
        if lowest == highest:
            cells[first + lowest] += values.count
        else:
            for value in values.each:
                cells[first + bisect_left(edges, value + shift, lowest, highest)] += 1
        cells[self.sum] += max(values.sum + shift * values.count, 0.0)


class Values:
    """Some numbers (at least one), of which is computed once what more than one histogram needs."""

    __slots__ = ("count", "each", "highest", "lowest", "sum")

    def __init__(self, each: Sequence[float]) -> None:
        self.each: Final = each
        self.count: Final = len(each)
        self.lowest: Final = min(each)
        self.highest: Final = max(each)
        self.sum: Final = sum(each)


STATUS: Final = 0
REASON: Final = STATUS + len(STATUSES) + 1
ROWS: Final = REASON + len(REASONS) + 1
SAMPLED_ROWS: Final = ROWS + 1
"""Rows whose values and prediction were counted into the distributions."""
SHADOWED: Final = SAMPLED_ROWS + 1
"""Requests that the shadow answered too."""
SHADOW_FAILED: Final = SHADOWED + 1
BATCH_ROWS: Final = Histogram(SHADOW_FAILED + 1, _SIZES)
BATCH_REQUESTS: Final = Histogram(BATCH_ROWS.end, _SIZES)
_STAGE_CELLS: Final = len(_SECONDS) + 2
STAGE: Final = {
    stage: Histogram(BATCH_REQUESTS.end + number * _STAGE_CELLS, _SECONDS) for number, stage in enumerate(STAGES)
}
SHADOW_DIFFERENCE: Final = Histogram(BATCH_REQUESTS.end + len(STAGES) * _STAGE_CELLS, _DEVIATIONS)
DISTRIBUTIONS: Final = SHADOW_DIFFERENCE.end
"""From here on the bins of the inputs and of the prediction, as the series' description lists them."""

STATUS_CELL: Final = {status: STATUS + number for number, status in enumerate(STATUSES)}
OTHER_STATUS: Final = STATUS + len(STATUSES)
REASON_CELL: Final = {reason: REASON + number for number, reason in enumerate(REASONS)}
OTHER_REASON: Final = REASON + len(REASONS)
