"""What /metrics tells of each model, release and variant: the sum over all workers, and the model's own limits.

A model that was replaced keeps its series for a while, so that no counter goes down when another one takes its place:
the last few of each variant are told, without their distributions, or /metrics would grow with every release.
"""

import mmap
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate
from typing import Final

import numpy as np
import numpy.typing as npt
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from serving.observe import layout
from serving.observe.distributions import PREDICTION
from serving.observe.series import Description, Series, all_series, parse_description
from serving.observe.shared import regions

MODEL: Final = ("model", "release", "variant")
_RETIRED: Final = 3
"""Models of a variant that are told although they do not serve any more: those that were replaced last."""
Labels = tuple[str, ...]
Counts = npt.NDArray[np.float64]

_COUNTERS: Final = (
    ("serving_rows_total", "Rows that were predicted.", layout.ROWS),
    ("serving_sampled_rows_total", "Rows that were counted into the distributions.", layout.SAMPLED_ROWS),
    ("serving_shadow_requests_total", "Requests that the shadow variant got a copy of.", layout.SHADOWED),
    ("serving_shadow_failures_total", "Copies that the shadow variant did not answer.", layout.SHADOW_FAILED),
)
_LABELLED_COUNTERS: Final = (
    (
        "serving_requests_total",
        "Requests to the model, and whatever was refused, by HTTP status.",
        "status",
        (*((str(status), cell) for status, cell in layout.STATUS_CELL.items()), (layout.OTHER, layout.OTHER_STATUS)),
    ),
    (
        "serving_rejections_total",
        "Requests that got an error, by its code.",
        "reason",
        (*layout.REASON_CELL.items(), (layout.OTHER, layout.OTHER_REASON)),
    ),
)
_HISTOGRAMS: Final = (
    ("serving_stage_seconds", "Time of a request in each stage.", "stage", tuple(layout.STAGE.items())),
    ("serving_batch_rows", "Rows that went through the model together.", "", (("", layout.BATCH_ROWS),)),
    ("serving_batch_requests", "Requests that went through the model together.", "", (("", layout.BATCH_REQUESTS),)),
    (
        "serving_shadow_difference",
        "Shadow's prediction against the answer, in standard deviations of the training predictions.",
        "",
        (("", layout.SHADOW_DIFFERENCE),),
    ),
)
_LIMITS: Final = {
    "p99_seconds": "monitor.p99_latency_ms of the model's specification.",
    "error_ratio": "monitor.error_rate of the model's specification.",
    "drift_psi": "monitor.drift_psi of the model's specification.",
}


class _Model:
    """What all workers counted for one model, release and variant."""

    def __init__(self, series: list[tuple[Description, Series]]) -> None:
        self.counts: Counts = np.zeros(layout.DISTRIBUTIONS)
        self.bins: defaultdict[tuple[str, str], float] = defaultdict(float)
        """By column and bin; of a model that does not serve any more, nothing."""
        self.active = next((description for description, one in reversed(series) if one.active), None)
        for description, one in series:
            counts = one.counts
            self.counts += counts[: layout.DISTRIBUTIONS]
            if self.active is None:
                continue
            names = ((part.name, label) for part in description.distributions for label in part.bins)
            for name, count in zip(names, counts[layout.DISTRIBUTIONS :].tolist(), strict=False):
                self.bins[name] += count


def model_families(memory: mmap.mmap) -> Iterator[Metric]:
    """Everything that is told by model."""
    models = _models(memory)
    yield from _active_families({labels: model.active for labels, model in models.items() if model.active})
    for name, help_text, cell in _COUNTERS:
        counter = CounterMetricFamily(name, help_text, labels=MODEL)
        for labels, model in models.items():
            counter.add_metric(labels, model.counts[cell])
        yield counter
    for name, help_text, label, cells in _LABELLED_COUNTERS:
        counter = CounterMetricFamily(name, help_text, labels=(*MODEL, label))
        for labels, model in models.items():
            for value, cell in cells:
                # A status that never came is no series, but for success, whose rate should be known from the start.
                if model.counts[cell] or value == "200":
                    counter.add_metric((*labels, value), model.counts[cell])
        yield counter
    for name, help_text, label, parts in _HISTOGRAMS:
        family = HistogramMetricFamily(name, help_text, labels=(*MODEL, label) if label else MODEL)
        for labels, model in models.items():
            for value, histogram in parts:
                _add_histogram(family, (*labels, value) if label else labels, histogram, model.counts)
        yield family
    yield from _distribution_families(models)


def _models(memory: mmap.mmap) -> dict[Labels, _Model]:
    found: defaultdict[Labels, list[tuple[Description, Series]]] = defaultdict(list)
    for region in regions(memory):
        for series in all_series(region):
            description = _decoded(series.text)
            found[description.model, description.release, description.variant].append((description, series))
    retired: defaultdict[str, list[tuple[float, Labels]]] = defaultdict(list)
    for labels, parts in found.items():
        # What was refused before there was a model has no model's name, and stays.
        if labels[0] and not any(series.active for _, series in parts):
            retired[labels[2]].append((max(series.used_at for _, series in parts), labels))
    passed = {labels for ages in retired.values() for _, labels in sorted(ages)[:-_RETIRED]}
    return {labels: _Model(parts) for labels, parts in found.items() if labels not in passed}


@lru_cache(maxsize=256)
def _decoded(text: bytes) -> Description:
    return parse_description(text)


def _active_families(active: dict[Labels, Description]) -> Iterator[Metric]:
    info = GaugeMetricFamily(
        "serving_model_info", "The models that answer now; the value is always 1.", labels=(*MODEL, "manifest_sha256")
    )
    limits = {name: GaugeMetricFamily(f"serving_limit_{name}", text, labels=MODEL) for name, text in _LIMITS.items()}
    for labels, description in active.items():
        if description.model:
            info.add_metric((*labels, description.sha256), 1)
        for name, value in (
            ("p99_seconds", description.p99_seconds),
            ("error_ratio", description.error_rate),
            ("drift_psi", description.drift_psi),
        ):
            if value is not None:
                limits[name].add_metric(labels, value)
    yield info
    yield from limits.values()
    yield from _share_families(active)


def _distribution_families(models: dict[Labels, _Model]) -> Iterator[Metric]:
    """Counts and the training rows' shares by bin, with the same labels, so that one can be held against the other."""
    predictions = CounterMetricFamily(
        "serving_prediction_rows_total", "Sampled predictions by bin of the baseline.", labels=(*MODEL, "bin")
    )
    inputs = CounterMetricFamily(
        "serving_input_rows_total", "Sampled values of a feature by bin.", labels=(*MODEL, "feature", "bin")
    )
    for labels, model in models.items():
        for (name, label), count in model.bins.items():
            if name == PREDICTION:
                predictions.add_metric((*labels, label), count)
            else:
                inputs.add_metric((*labels, name, label), count)
    yield predictions
    yield inputs


def _share_families(active: dict[Labels, Description]) -> Iterator[Metric]:
    prediction = GaugeMetricFamily(
        "serving_prediction_baseline_share", "Share of the training rows by bin.", labels=(*MODEL, "bin")
    )
    inputs = GaugeMetricFamily(
        "serving_input_baseline_share", "Share of the training rows by bin.", labels=(*MODEL, "feature", "bin")
    )
    for labels, description in active.items():
        for part in description.distributions:
            for label, share in zip(part.bins, part.shares, strict=bool(part.shares)):
                if part.name == PREDICTION:
                    prediction.add_metric((*labels, label), share)
                else:
                    inputs.add_metric((*labels, part.name, label), share)
    yield prediction
    yield inputs


def _add_histogram(family: HistogramMetricFamily, labels: Labels, histogram: layout.Histogram, counts: Counts) -> None:
    """Prometheus' buckets hold what lies at or below their edge."""
    buckets = accumulate(counts[histogram.first : histogram.sum].tolist())
    edges = [*map(str, histogram.edges), "+Inf"]
    family.add_metric(labels, list(zip(edges, buckets, strict=True)), counts[histogram.sum])
