"""The rules of `serving.core.validation` for whole matrices: a few passes over all values instead of a call for each.

A matrix holds rows as they go into the model: a category is its index, a missing value NaN. A limit is rounded as the
values were, so that the float32 next to 0.1 is inside a range that ends at 0.1.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from models.schema import Column, spelt
from models.spec import ModelSpec
from serving.core.errors import RequestError
from serving.core.session import Matrix
from serving.core.validation import FLOAT32_MAX, Validator

_TILED_VALUES: Final = 65_536
Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32] | npt.NDArray[np.float64]
Bounds = tuple[Floats, ...]


class MatrixRules:
    """Checks rows [N, F] of one model."""

    def __init__(self, spec: ModelSpec, validator: Validator) -> None:
        columns = spec.feature_columns
        self.features: Final = spec.features
        self.columns: Final = columns
        self._validator = validator
        limits = [_limits(column) for column in columns]
        self._limits = tuple(np.array(side, dtype=np.float64) for side in zip(*limits, strict=True))
        self._any_whole = any(column.type != "float" for column in columns)
        self._any_nullable = any(column.nullable for column in columns)
        # numpy combines two whole matrices several times as fast as a matrix and a short row.
        self._tiles = (min(spec.serving.max_rows, _TILED_VALUES // len(columns)) or 1, 1)
        self._bounds = tuple(np.tile(side, self._tiles) for side in self._limits)
        self._narrow = tuple(side.astype(np.float32) for side in self._bounds)
        self._fractions = np.tile(np.array([column.type == "float" for column in columns]), self._tiles)
        self._nullable = np.tile(np.array([column.nullable for column in columns]), self._tiles)

    def rounded(self, narrow: Mask) -> Bounds:
        """Lowest and highest values for a matrix whose columns come from float32 where `narrow` [F] is true."""
        return tuple(np.tile(np.where(narrow, side.astype(np.float32), side), self._tiles) for side in self._limits)

    def missing(self, matrix: Floats) -> Mask | None:
        """Which values [N, F] are null in a matrix that says so by NaN; None when no feature may be null."""
        return np.isnan(matrix) & _rows(self._nullable, len(matrix)) if self._any_nullable else None

    def checked(self, matrix: Floats) -> Matrix:
        """`matrix`, in which NaN is null, as float32; RequestError names row and field of the first fault."""
        self.count(len(matrix))
        bounds = self._narrow if matrix.dtype == np.float32 else self._bounds
        good = self.good(matrix, self.missing(matrix), bounds)
        if not good.all():
            raise self.fault(good, matrix)
        return matrix.astype(np.float32, copy=False)

    def count(self, rows: int) -> None:
        """RequestError for a request without rows or with more than the model takes."""
        self._validator.count(rows)

    def good(self, matrix: Floats, missing: Mask | None, bounds: Bounds | None = None) -> Mask:
        """Which values [N, F] are right: in bounds, whole where they have to be, or missing where they may be."""
        rows = len(matrix)
        low, high = bounds or self._bounds
        good = (matrix >= _rows(low, rows)) & (matrix <= _rows(high, rows))
        if self._any_whole:
            with np.errstate(invalid="ignore"):  # a signalling NaN warns
                good &= (np.floor(matrix) == matrix) | _rows(self._fractions, rows)
        if missing is not None:
            good |= missing & _rows(self._nullable, rows)
        return good

    def fault(self, good: Mask, matrix: Floats, sent: Callable[[int, int], object] | None = None) -> RequestError:
        """The error of the first value that is not good. `sent` tells the value at (row, position) as it was sent."""
        row = int(np.argmin(good.all(axis=1)))
        position = int(np.argmin(good[row]))
        column, value = self.columns[position], shortest(matrix[row, position])
        expected = column.expectation
        if sent is None and column.type == "category":
            message = f"expected the place, from 0 to {len(column.categories) - 1}, of {expected}; got {spelt(value)}"
            return RequestError("unknown_category", message, row=row, field=column.name)
        try:
            self._validator.value(position, sent(row, position) if sent else value, row)
        except RequestError as error:
            return error
        return RequestError("out_of_range", f"expected {expected}, got {spelt(value)}", row=row, field=column.name)


def _rows(tiled: npt.NDArray[Any], rows: int) -> npt.NDArray[Any]:
    """The first `rows` of what was tiled, or one to be repeated where it was not tiled as far."""
    return tiled[:rows] if rows <= len(tiled) else tiled[:1]


def _limits(column: Column) -> tuple[float, float]:
    if column.type == "category":
        return 0.0, len(column.categories) - 1.0
    low = -FLOAT32_MAX if column.minimum is None else column.minimum
    return low, FLOAT32_MAX if column.maximum is None else column.maximum


def shortest(value: np.floating[Any]) -> float:
    """`value` as the number of the fewest digits that is it in its own type: the float32 next to 0.1 is 0.1."""
    return float(str(value))


def real_numbers(array: npt.NDArray[Any]) -> Floats | None:
    """`array` as float32 or float64 in this machine's byte order, whatever number type it has; None for no numbers."""
    if array.dtype.kind not in "fiu" or array.dtype.itemsize > 8:
        return None
    if array.dtype.kind == "f" and array.dtype.itemsize <= 4:
        return np.ascontiguousarray(array, dtype=np.float32)
    return np.ascontiguousarray(array, dtype=np.float64)
