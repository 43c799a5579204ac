"""How far data have moved from the training data: the population stability index over the baseline's own bins.

PSI = Σ (a − e) · ln(a / e) over the bins, with the shares e expected and a found. An empty bin counts as half a row, so
that one new value does not make the index infinite. B. Yurdakul, "Statistical Properties of Population Stability
Index", 2018.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from monitoring.baseline import Bins, CategoryDistribution

_EMPTY = 0.5


def stability_index(expected: Sequence[int], found: Sequence[int]) -> float:
    """The index between two counts over the same bins; 0 when either is empty altogether."""
    one, other = np.asarray(expected, dtype=np.float64), np.asarray(found, dtype=np.float64)
    if not one.sum() or not other.sum():
        return 0.0
    shares = [np.maximum(counts, _EMPTY) / np.maximum(counts, _EMPTY).sum() for counts in (one, other)]
    return float(np.sum((shares[1] - shares[0]) * np.log(shares[1] / shares[0])))


def number_drift(bins: Bins, values: npt.NDArray[np.float64]) -> float:
    """The index of a number: `values` [N] in the baseline's quantile bins, what lies outside in the outermost."""
    known = values[np.isfinite(values)]
    counts, _ = np.histogram(np.clip(known, bins.edges[0], bins.edges[-1]), bins=np.asarray(bins.edges))
    return stability_index(bins.counts, counts.tolist())


def category_drift(distribution: CategoryDistribution, values: Sequence[str]) -> float:
    """The index of a category; categories that the baseline does not know count as one more."""
    known = dict.fromkeys(distribution.counts, 0)
    unknown = 0
    for value in values:
        if value in known:
            known[value] += 1
        else:
            unknown += 1
    return stability_index([*distribution.counts.values(), 0], [*known.values(), unknown])
