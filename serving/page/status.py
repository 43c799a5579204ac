"""`/status`: which model answers, and how far what it was sent has moved from its training data.

The page asks for it every few seconds. Drift is measured only from what this server has counted; before enough rows
came, or where nothing is counted, it says "not measured" and why.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from monitoring.baseline import AnyDistribution, CategoryDistribution, NumberDistribution
from monitoring.drift import stability_index
from serving.core.service import Service
from serving.page.form import words

MINIMUM_ROWS: Final = 100
"""Below that many rows an index of ten bins is mostly chance: with 100 rows its expectation is about 0.09 unmoved."""

Counts = Mapping[str, Sequence[int]]
"""Rows by feature: one count a quantile bin of the baseline (what lies outside in the outermost) or a category, then
that of missing values."""


def render(service: Service, counts: Counts | None) -> bytes:
    """The status as JSON; `counts` is None where inputs are not counted."""
    return json.dumps(status(service, counts), ensure_ascii=False, allow_nan=False).encode()


def status(service: Service, counts: Counts | None) -> dict[str, Any]:
    """The content of `/status`."""
    return {
        "status": "ready",
        "model": service.spec.name,
        "release": service.release,
        "manifest_sha256": service.artefact.manifest_sha256,
        "drift": _drift(service, counts),
    }


def _drift(service: Service, counts: Counts | None) -> dict[str, Any]:
    limit = service.spec.monitor.drift_psi
    if service.spec.image:
        return _not_measured(limit, 0, "There is no measure of drift for images here.")
    if counts is None:
        return _not_measured(limit, 0, "This server does not count the values that it is sent.")
    rows = max((sum(found) for found in counts.values()), default=0)
    if rows < MINIMUM_ROWS:
        return _not_measured(limit, rows, f"{rows} of the {MINIMUM_ROWS} rows that it takes were counted so far.")
    fields = [_field(distribution, counts.get(distribution.name, ()), limit) for distribution in _features(service)]
    return {"state": "measured", "reason": "", "rows": rows, "limit": limit, "fields": fields}


def _not_measured(limit: float, rows: int, reason: str) -> dict[str, Any]:
    return {"state": "not_measured", "reason": reason, "rows": rows, "limit": limit, "fields": []}


def _features(service: Service) -> tuple[AnyDistribution, ...]:
    return service.artefact.baseline.features


def _field(distribution: AnyDistribution, found: Sequence[int], limit: float) -> dict[str, Any]:
    """A personal feature has nothing to be held against."""
    expected = _expected(distribution)
    index = stability_index(expected, found[:-1]) if expected and len(found) == len(expected) + 1 else None
    return {
        "name": distribution.name,
        "label": words(distribution.name),
        "psi": None if index is None else round(index, 4),
        "drifted": index is not None and index > limit,
    }


def _expected(distribution: AnyDistribution) -> tuple[int, ...]:
    """Training rows by bin; none of a personal feature."""
    if isinstance(distribution, NumberDistribution):
        return distribution.quantiles.counts
    return tuple(distribution.counts.values()) if isinstance(distribution, CategoryDistribution) else ()
