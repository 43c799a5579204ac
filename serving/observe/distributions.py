"""How inputs and predictions are distributed, counted over the bins of the model's baseline, many values at once.

The bins are the baseline's quantile bins, those over which `monitoring.drift` computes the population stability index;
what lies outside belongs to the outermost bin, and a missing value to a bin of its own. Since every number is compared
with all edges in one array operation, a batch costs some 10 µs, however many features there are.
"""

from itertools import pairwise
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from models.schema import Column
from monitoring.baseline import (
    AnyDistribution,
    Baseline,
    CategoryDistribution,
    NumberDistribution,
    PersonalDistribution,
)

MAX_FEATURES: Final = 64
"""Distributions of more features than that would be more series than a Prometheus server should take from a process."""
NULL: Final = "null"
PREDICTION: Final = "prediction"

Matrix = npt.NDArray[np.float32]


class Distribution(msgspec.Struct, frozen=True):
    """The bins of a feature or of the prediction: their labels, and their shares of the training rows (sum 1)."""

    name: str
    bins: tuple[str, ...]
    """In ascending order; the last one is that of missing values."""
    shares: tuple[float, ...]
    """Empty where the baseline does not tell them: of predicted categories, and of what is personal."""


def distributions_of(baseline: Baseline, target: Column) -> tuple[Distribution, ...]:
    """The prediction's distribution, then those of the first MAX_FEATURES features in the model's order.

    A predicted category counts under its name. What is personal has one bin for any value. Images have no bins.
    """
    labels = (*_labels(list(target.categories)), NULL)
    return (
        Distribution(PREDICTION, labels, ()) if target.categories else _bins_of(baseline.prediction, PREDICTION),
        *(_bins_of(feature, feature.name) for feature in baseline.features[:MAX_FEATURES]),
    )


def _bins_of(distribution: AnyDistribution, name: str) -> Distribution:
    if isinstance(distribution, NumberDistribution):
        return _of_numbers(distribution, name)
    if isinstance(distribution, CategoryDistribution):
        return _of_categories(distribution)
    return Distribution(name, ("any", NULL), ())


def _of_numbers(distribution: NumberDistribution, name: str) -> Distribution:
    edges, counts = distribution.quantiles.edges, distribution.quantiles.counts
    inner = [f"{edge:.6g}" for edge in edges[1:-1]]
    if inner:
        labels = [f"< {inner[0]}", *(f"{low} to {high}" for low, high in pairwise(inner))]
        labels.append(f">= {inner[-1]}")
    else:
        labels = ["any"]
    # Edges closer than six digits tell would give one label twice.
    labels = labels if len(set(labels)) == len(labels) else [f"{number + 1:02}" for number in range(len(labels))]
    return _shares(name, labels, counts, distribution.null_fraction)


def _of_categories(distribution: CategoryDistribution) -> Distribution:
    return _shares(
        distribution.name, list(distribution.counts), tuple(distribution.counts.values()), distribution.null_fraction
    )


def _shares(name: str, labels: list[str], counts: tuple[int, ...], null_fraction: float) -> Distribution:
    total = sum(counts) or 1
    known = tuple(count / total * (1 - null_fraction) for count in counts)
    return Distribution(name, (*_labels(labels), NULL), (*known, null_fraction))


def _labels(labels: list[str]) -> list[str]:
    """A category that is called as missing values are is told apart."""
    return [f"{label} (category)" if label == NULL else label for label in labels]


class Binner:
    """Counts rows into the bins of one model's distributions."""

    def __init__(self, baseline: Baseline, target: Column) -> None:
        features = baseline.features[:MAX_FEATURES]
        predicted = _places(len(target.categories)) if target.categories else _inner_edges(baseline.prediction)
        inner = [predicted, *(_inner_edges(part) for part in features)]
        self.features: Final = len(features)
        """How many columns of the rows are counted, from the first one on."""
        # Edges that are not there are infinite: no value lies beyond them. [1, features and prediction, most edges]
        self._edges = np.full((1, len(inner), max(map(len, inner))), np.inf, dtype=np.float32)
        for number, edges in enumerate(inner):
            self._edges[0, number, : len(edges)] = edges
        sizes = [len(edges) + 2 for edges in inner]
        first = np.concatenate([[0], np.cumsum(sizes)])
        self.size: Final = int(first[-1])
        """Bins of all distributions, in the order of `distributions_of`."""
        self._first = first[:-1].astype(np.int64)
        self._null = (first[1:] - 1).astype(np.int64)

    def count(self, rows: Matrix, predictions: Matrix) -> npt.NDArray[np.int64]:
        """How many of `rows` [N, at least `features`] and `predictions` [N] lie in each bin: [size]."""
        values = np.empty((len(predictions), self.features + 1), dtype=np.float32)
        values[:, 0] = predictions
        values[:, 1:] = rows[:, : self.features]
        # NaN is below every edge; it is put right after.
        bins = (values[:, :, None] >= self._edges).sum(axis=2) + self._first
        missing = np.isnan(values)
        if missing.any():
            bins = np.where(missing, self._null, bins)
        return np.bincount(bins.ravel(), minlength=self.size)


def _inner_edges(distribution: AnyDistribution) -> npt.NDArray[np.float32]:
    """Values at which the next bin begins; category i, which the matrix holds as the number i, is bin i."""
    if isinstance(distribution, CategoryDistribution):
        return _places(len(distribution.counts))
    if isinstance(distribution, PersonalDistribution):
        return _places(1)
    return np.array(distribution.quantiles.edges[1:-1], dtype=np.float32)


def _places(categories: int) -> npt.NDArray[np.float32]:
    return np.arange(1, categories, dtype=np.float32)
