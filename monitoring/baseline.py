"""The training distribution that travels with a model as `baseline.json`, and the only code that knows its format.

Numbers are binned twice: by quantiles of the training data, so that the population stability index compares bins of
equal weight, and in equal widths, which is what a person can read. Of a column that is personal (`pii` in the model's
specification) nothing is kept but its name. Imports numpy and pydantic only: serving reads it.
"""

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Annotated, Literal, Self, cast

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from models.explain import explain
from models.schema import Column
from models.spec import ModelSpec

BASELINE_FILE = "baseline.json"
QUANTILE_BINS = 10
HISTOGRAM_BINS = 20
SAMPLE_ROWS = 5

Floats = npt.NDArray[np.float32] | npt.NDArray[np.float64]
Value = float | int | str | None


class BaselineError(Exception):
    """A baseline.json cannot be used; the message names the file, the key and what is wrong."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Bins(_Part):
    """Counts between ascending edges; bin i is [edges[i], edges[i+1]), the last one includes its right edge."""

    edges: Annotated[tuple[float, ...], Field(min_length=2)]
    counts: Annotated[tuple[int, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _matching(self) -> Self:
        if len(self.edges) != len(self.counts) + 1:
            raise ValueError(f"{len(self.counts)} counts need {len(self.counts) + 1} edges, found {len(self.edges)}")
        if any(right <= left for left, right in pairwise(self.edges)):
            raise ValueError("edges must ascend")
        return self


class NumberDistribution(_Part):
    """How a numeric column (or the prediction) is distributed over the training rows, in the column's unit."""

    kind: Literal["number"] = "number"
    name: str
    unit: str = ""
    rows: Annotated[int, Field(ge=1)]
    null_fraction: Annotated[float, Field(ge=0, le=1)]
    minimum: float
    maximum: float
    mean: float
    standard_deviation: Annotated[float, Field(ge=0)]
    quantiles: Bins
    """Bins that hold about equally many training rows; fewer than QUANTILE_BINS where values repeat."""
    histogram: Bins
    """Bins of equal width from minimum to maximum."""

    def percentile(self, value: float) -> float:
        """Per cent (0 to 100) of the training rows below `value`, linear inside a quantile bin."""
        cumulative = (0, *accumulate(self.quantiles.counts))
        return 100 * float(np.interp(value, self.quantiles.edges, cumulative)) / cumulative[-1]


class CategoryDistribution(_Part):
    """How often each category of the specification occurs in the training rows, in the specification's order."""

    kind: Literal["category"] = "category"
    name: str
    rows: Annotated[int, Field(ge=1)]
    null_fraction: Annotated[float, Field(ge=0, le=1)]
    counts: dict[str, int]


class PersonalDistribution(_Part):
    """That a column is personal, and so nothing of its values: they are what the artefact must not hold.

    Edges, extremes and a median are each some person's own value.
    """

    kind: Literal["personal"] = "personal"
    name: str


AnyDistribution = NumberDistribution | CategoryDistribution | PersonalDistribution
Distribution = Annotated[AnyDistribution, Field(discriminator="kind")]
Predicted = Annotated[NumberDistribution | PersonalDistribution, Field(discriminator="kind")]


class Baseline(_Part):
    """The training rows of one model in numbers: features, target, prediction, and a few rows to try it with."""

    model: str
    rows: Annotated[int, Field(ge=1)]
    features: tuple[Distribution, ...]
    """In the order of the specification's `features`."""
    target: Predicted
    prediction: Predicted
    """Personal where the target is: what is predicted for a training row is near its own value."""
    sample: tuple[dict[str, Value], ...]
    """Up to SAMPLE_ROWS rows by column name: features and target, spread over the range of the target.

    Serving publishes these rows: a personal feature holds its `stand_in` in each, and a personal target is left out.
    """

    def feature(self, name: str) -> AnyDistribution:
        """The distribution of the feature called `name`; KeyError when there is none."""
        for distribution in self.features:
            if distribution.name == name:
                return distribution
        raise KeyError(name)

    def save(self, path: Path) -> None:
        """Write as JSON, the same bytes for the same content."""
        path.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote; BaselineError names what does not fit."""
        try:
            return cls.model_validate_json(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise BaselineError(f"{path.name}: no such file; an artefact holds it beside model.onnx") from error
        except ValidationError as error:
            raise BaselineError(explain(path.name, error)) from error


def without_personal(baseline: Baseline, spec: ModelSpec) -> Baseline:
    """`baseline` as Baseline promises it to be of what `spec` marks personal, whatever it was written as.

    A file that was written before there was a PersonalDistribution tells such columns whole.
    """
    personal = {column.name for column in spec.columns if column.pii}
    stand_ins = {column.name: column.stand_in for column in spec.feature_columns if column.pii}
    target, prediction = baseline.target, baseline.prediction
    if spec.target_column.pii:
        target, prediction = PersonalDistribution(name=target.name), PersonalDistribution(name=prediction.name)
    return Baseline(
        model=baseline.model,
        rows=baseline.rows,
        features=tuple(
            PersonalDistribution(name=part.name) if part.name in personal else part for part in baseline.features
        ),
        target=target,
        prediction=prediction,
        sample=tuple(
            {
                name: stand_ins.get(name, value)
                for name, value in row.items()
                if name in stand_ins or name not in personal
            }
            for row in baseline.sample
        ),
    )


def describe_numbers(name: str, values: Floats, unit: str = "") -> NumberDistribution:
    """The distribution of `values` [N], NaN counting as null; ValueError when no value is a finite number."""
    numbers = np.asarray(values, dtype=np.float64)
    known = numbers[np.isfinite(numbers)]
    if known.size == 0:
        raise ValueError(f"{name}: none of the {numbers.size} training rows has a value")
    return NumberDistribution(
        name=name,
        unit=unit,
        rows=int(numbers.size),
        null_fraction=1 - known.size / numbers.size,
        minimum=float(known.min()),
        maximum=float(known.max()),
        mean=float(known.mean()),
        standard_deviation=float(known.std()),
        quantiles=_bins(known, np.unique(np.quantile(known, np.linspace(0, 1, QUANTILE_BINS + 1)))),
        histogram=_bins(known, np.linspace(float(known.min()), float(known.max()), HISTOGRAM_BINS + 1)),
    )


def _bins(known: npt.NDArray[np.float64], edges: npt.NDArray[np.float64]) -> Bins:
    """`known` counted between `edges`; a column of one value gets one bin that begins at it."""
    if edges[0] == edges[-1]:
        edges = np.array([edges[0], np.nextafter(edges[0], np.inf)])
    counts, _ = np.histogram(known, bins=edges)
    return Bins(edges=tuple(edges.tolist()), counts=tuple(int(count) for count in counts))


def describe_categories(name: str, indices: Floats, categories: Sequence[str]) -> CategoryDistribution:
    """The distribution of category `indices` [N] as `models.rows.feature_matrix` encodes them (NaN is null)."""
    known = indices[np.isfinite(indices)].astype(np.int64)
    counts = np.bincount(known, minlength=len(categories))
    return CategoryDistribution(
        name=name,
        rows=int(indices.size),
        null_fraction=1 - known.size / indices.size,
        counts={category: int(count) for category, count in zip(categories, counts, strict=True)},
    )


def describe(
    spec: ModelSpec, columns: Mapping[str, Sequence[object]], features: Floats, target: Floats, prediction: Floats
) -> Baseline:
    """The baseline of the training rows.

    `columns` are the rows as read; `features` [N, F] the same rows as `models.rows.feature_matrix` encodes them;
    `target` and `prediction` [N] in the target's unit.
    """
    told = Baseline(
        model=spec.name,
        rows=len(target),
        features=tuple(_feature(column, features[:, at]) for at, column in enumerate(spec.feature_columns)),
        target=describe_numbers(spec.target, target, spec.target_column.unit),
        prediction=describe_numbers("prediction", prediction, spec.target_column.unit),
        sample=_sample(spec, columns, target),
    )
    return without_personal(told, spec)


def _feature(column: Column, values: Floats) -> NumberDistribution | CategoryDistribution:
    if column.is_numeric:
        return describe_numbers(column.name, values, column.unit)
    return describe_categories(column.name, values, column.categories)


def _sample(spec: ModelSpec, columns: Mapping[str, Sequence[object]], target: Floats) -> tuple[dict[str, Value], ...]:
    order = np.argsort(target, kind="stable")
    picked = order[np.unique(np.linspace(0, len(order) - 1, SAMPLE_ROWS + 2).round().astype(int)[1:-1])]
    names = (*spec.features, spec.target)
    return tuple({name: cast("Value", columns[name][int(row)]) for name in names} for row in picked)
