"""Statistics over the samples of one period, percentiles included."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

_PERCENTILE = re.compile(r"p(\d{1,2}(\.\d+)?|100)")
_PLAIN: Final[Mapping[str, Callable[[Sequence[float]], float]]] = {
    "Sum": math.fsum,
    "Average": lambda values: math.fsum(values) / len(values),
    "Minimum": min,
    "Maximum": max,
    "SampleCount": len,
}


class UnknownStatisticError(ValueError):
    """A statistic that is not computed here."""


def statistic(name: str, values: Sequence[float]) -> float | None:
    """`Sum`, `Average`, `Minimum`, `Maximum`, `SampleCount` or a percentile such as `p99`; None without a value."""
    found = _PERCENTILE.fullmatch(name)
    if found is None and name not in _PLAIN:
        raise UnknownStatisticError(f"statistic {name!r}: known are {', '.join(_PLAIN)} and p0 to p100")
    if not values:
        return None
    return percentile(values, float(found[1])) if found else _PLAIN[name](values)


def percentile(values: Sequence[float], percent: float) -> float:
    """The value below which `percent` per cent of `values` lie, linear between neighbours."""
    ordered = sorted(values)
    position = (len(ordered) - 1) * percent / 100
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)
