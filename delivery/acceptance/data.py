"""Whether the curated table of a stack is as the specification says, and like what the model was trained on."""

from typing import Any

import numpy as np
import pyarrow as pa

from delivery.acceptance.findings import Check, checked, not_checked
from delivery.acceptance.released import ReleasedModel
from lake.catalog import Lake
from lake.dataset import check, split
from lake.snapshots import rows_at
from models.schema import Column
from models.spec import ModelSpec
from monitoring.baseline import NumberDistribution, PersonalDistribution
from monitoring.drift import category_drift, number_drift


def data(lake: Lake, spec: ModelSpec, model: ReleasedModel) -> list[Check]:
    """Look at the newest version of the table; a stack that has no rows yet has nothing to look at."""
    table = lake.find_curated(spec)
    if table is None or table.current_snapshot() is None:
        return [not_checked("data", "curated table", "no rows were ingested in this stack")]
    rows = rows_at(lake, spec)
    checks = [
        checked("data", each.name, ok=each.passed, said=each.detail) for each in check(spec, rows, split(spec, rows))
    ]
    checks += [_values(column, rows.column(column.name)) for column in spec.columns if column.type != "string"]
    trained = set(model.spec.features)
    return checks + [_drift(spec, model, column, rows) for column in spec.feature_columns if column.name in trained]


def _values(column: Column, values: Any) -> Check:
    """Every value within what the specification lets pass."""
    known = [value for value in values.to_pylist() if value is not None]
    if column.type == "category":
        outside = [value for value in known if value not in column.categories]
    else:
        low = -np.inf if column.minimum is None else column.minimum
        high = np.inf if column.maximum is None else column.maximum
        outside = [value for value in known if not low <= value <= high]
    said = f"{len(known)} values, expected {column.expectation}"
    if outside:
        said += f"; {len(outside)} are not, such as {outside[0]!r}"
    return checked("data", f"{column.name} values", ok=not outside, said=said)


def _drift(spec: ModelSpec, model: ReleasedModel, column: Column, rows: pa.Table) -> Check:
    values = [value for value in rows.column(column.name).to_pylist() if value is not None]
    distribution = model.baseline.feature(column.name)
    if isinstance(distribution, PersonalDistribution):
        return not_checked("data", f"{column.name} drift", "it is personal: the artefact holds nothing of its values")
    if isinstance(distribution, NumberDistribution):
        index = number_drift(distribution.quantiles, np.asarray(values, dtype=np.float64))
    else:
        index = category_drift(distribution, values)
    limit = spec.monitor.drift_psi
    said = f"population stability index {index:.3f} to the training data, limit {limit:g}"
    return checked("data", f"{column.name} drift", ok=index <= limit, said=said)
