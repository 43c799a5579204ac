"""How what a model was sent is distributed, by all workers: for the page, which holds it against the training data."""

import mmap

from serving.observe import layout
from serving.observe.distributions import PREDICTION
from serving.observe.series import all_series, parse_description
from serving.observe.shared import regions

InputCounts = dict[str, list[int]]
"""Rows by feature: one count a quantile bin of the baseline or a category, then that of missing values."""


def input_counts(memory: mmap.mmap, manifest_sha256: str) -> InputCounts:
    """The counts of the model with that manifest, of all its variants; empty when nobody serves it."""
    found: InputCounts = {}
    for region in regions(memory):
        for series in all_series(region):
            description = parse_description(series.text)
            if description.sha256 != manifest_sha256:
                continue
            counts = [int(count) for count in series.counts[layout.DISTRIBUTIONS :].tolist()]
            for part in description.distributions:
                own, counts = counts[: len(part.bins)], counts[len(part.bins) :]
                if part.name != PREDICTION:
                    sofar = found.get(part.name, [0] * len(own))
                    found[part.name] = [one + other for one, other in zip(sofar, own, strict=True)]
    return found
