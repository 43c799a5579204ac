"""Which variant answers a request."""

import random
import zlib
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Final, Literal

from serving.core.call import Call
from serving.core.errors import RequestError
from serving.core.job import Answered, Job
from serving.core.shadow import Shadows

_HASHES: Final = 2**32


class WeightedRouter:
    """Shares requests by weight: the same request id always gets the same variant, in every worker and every run."""

    def __init__(
        self,
        weights: Mapping[str, float],
        *,
        by: Literal["request_id", "random"] = "request_id",
        draw: Callable[[], float] = random.random,
        shadows: Shadows | None = None,
    ) -> None:
        """`weights` are shares of their sum, in the order of their intervals; `draw` gives numbers in [0, 1)."""
        self._names: Final = tuple(weights)
        total = sum(weights.values())
        self._edges: Final = tuple(edge / total for edge in accumulate(weights.values()))[:-1]
        self._random: Final = by == "random"
        self._draw: Final = draw
        self._shadows: Final = shadows

    def choose(self, call: Call) -> str:
        """The variant's name; RequestError when the call names one that there is not."""
        if self._shadows is not None:
            self._shadows.requests += 1
        if call.variant:
            if call.variant not in self._names:
                known = ", ".join(self._names)
                raise RequestError("unknown_variant", f"there is no variant {call.variant!r}; there are {known}")
            return call.variant
        if self._random or not call.request_id:
            place = self._draw()
        else:
            place = zlib.crc32(call.request_id.encode(errors="replace")) / _HASHES
        return self._names[bisect_right(self._edges, place)]

    def answered(self, calls: Sequence[Call], jobs: Sequence[Job], answered: Answered) -> None:
        """Let the shadows have copies, when there is time."""
        if self._shadows is not None:
            self._shadows.copy(calls, jobs, answered)
