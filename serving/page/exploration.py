"""Which values the page tries for a field: its typical one, those it ranges over, and the points of its curve.

They come from the training distribution and stay inside what the specification allows, so that the server accepts each
of them. Of a personal field there is no training distribution: its values come from the specification alone. The script
only sends them and draws the answers.
"""

import math
from collections.abc import Iterable
from itertools import accumulate
from typing import Any

from models.schema import Column
from monitoring.baseline import AnyDistribution, Bins, CategoryDistribution, PersonalDistribution, Value

CURVE_POINTS = 49
CURVE_CATEGORIES = 30
_RANGE_STEPS = 8
"""A personal number ranges over so many equal steps."""
_MARGIN = 0.15
"""How far a curve goes beyond the training range, as a share of that range."""
_DIGITS = 5
"""A value that is tried is rounded to about so many digits of the training range: enough for any reader."""


def explored(column: Column, distribution: AnyDistribution) -> dict[str, Any]:
    """What the script needs of one field: `typical` value, `range` of values, points of the `curve`."""
    if isinstance(distribution, PersonalDistribution):
        return _allowed_category(column) if column.categories else _allowed_number(column)
    if isinstance(distribution, CategoryDistribution):
        frequent = sorted(distribution.counts, key=lambda name: -distribution.counts[name])
        curve: list[Value] = list(frequent[:CURVE_CATEGORIES])
        return {
            "kind": "category",
            "typical": frequent[0],
            "typicalName": "most frequent",
            "range": [name for name in frequent[:CURVE_CATEGORIES] if distribution.counts[name]],
            "rangeName": "over the categories of the training data",
            "curve": [*curve, None] if column.nullable else curve,
        }
    bins = distribution.quantiles
    low, high = _decile(bins, 0.1), _decile(bins, 0.9)
    ends = [distribution.minimum, distribution.maximum]
    span = distribution.maximum - distribution.minimum

    def tried(value: float) -> float:
        # A value close to zero in a wide range keeps digits of its own.
        return _allowed(column, value, min(span or abs(value), abs(value)))

    middle = [low, *(edge for edge in bins.edges if low < edge < high), high]
    return {
        "kind": "number",
        "integer": column.type == "integer",
        "trained": ends,
        "typical": tried(_decile(bins, 0.5)),
        "typicalName": "median",
        "range": _unique(tried(edge) for edge in middle),
        "rangeName": "over the middle 80 % of the training data",
        "curve": _points(column, ends[0], ends[1]),
    }


def _allowed_category(column: Column) -> dict[str, Any]:
    tried: list[Value] = list(column.categories[:CURVE_CATEGORIES])
    return {
        "kind": "category",
        "typical": column.stand_in,
        "typicalName": "first category",
        "range": tried,
        "rangeName": "over the categories",
        "curve": [*tried, None] if column.nullable else tried,
    }


def _allowed_number(column: Column) -> dict[str, Any]:
    """Between the limits of the field; where one is missing, as far from the other as that is from zero."""
    middle = float(column.stand_in)
    reach = abs(middle) or 1.0
    low = column.minimum if column.minimum is not None else middle - reach
    high = column.maximum if column.maximum is not None else middle + reach
    steps = [_allowed(column, low + (high - low) * part / _RANGE_STEPS, high - low) for part in range(_RANGE_STEPS + 1)]
    limited = column.minimum is not None and column.maximum is not None
    return {
        "kind": "number",
        "integer": column.type == "integer",
        "trained": None,
        "typical": column.stand_in,
        "typicalName": "middle of what the field takes" if limited else "value that the page begins with",
        "range": _unique(steps),
        "rangeName": "over what the field takes" if limited else f"over values from {steps[0]:g} to {steps[-1]:g}",
        "curve": _points(column, low, high),
    }


def _decile(bins: Bins, share: float) -> float:
    """The quantile `share`, a multiple of 0.1, of the training rows.

    The edges are the deciles, each of them once: where many rows have one value, it is that value which the next edge
    is far from. So it is the last edge with no more than `share` of the rows below it (to within the row that a
    quantile between two rows leaves undecided).
    """
    below = (0, *accumulate(bins.counts))
    allowed = share * below[-1] + 1
    return max(edge for edge, rows in zip(bins.edges, below, strict=True) if rows <= allowed)


def _points(column: Column, first: float, last: float) -> list[float]:
    """Points of equal distance from `first` to `last` and some way beyond both."""
    margin = _MARGIN * (last - first) or abs(last) * _MARGIN or 1.0
    scale = margin / _MARGIN
    low, high = _allowed(column, first - margin, scale), _allowed(column, last + margin, scale)
    step = (high - low) / (CURVE_POINTS - 1)
    return _unique(_allowed(column, low + step * i, scale) for i in range(CURVE_POINTS))


def _unique(values: Iterable[float]) -> list[float]:
    return sorted(set(values))


def _allowed(column: Column, value: float, scale: float) -> float:
    """`value` to _DIGITS digits of `scale`, whole for an integer, moved to where the specification takes it."""
    low = -math.inf if column.minimum is None else column.minimum
    high = math.inf if column.maximum is None else column.maximum
    if column.type == "integer":
        low = low if math.isinf(low) else math.ceil(low)
        high = high if math.isinf(high) else math.floor(high)
        return int(min(max(round(value), low), high))
    digits = _DIGITS - 1 - math.floor(math.log10(scale)) if scale else 0
    return min(max(round(value, digits), low), high)
