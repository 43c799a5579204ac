"""The rules of `serving.core.validation` for whole matrices: a few passes over all values instead of a call for each.

A matrix holds rows as they go into the model: a category is its index, a missing value NaN. A limit is compared in the
matrix's own type, so that a float32 next to 0.1 is inside a range that ends at 0.1.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from models.schema import Column
from models.spec import ModelSpec
from serving.core.errors import RequestError
from serving.core.session import Matrix
from serving.core.validation import FLOAT32_MAX, Validator

Floats = npt.NDArray[np.float32] | npt.NDArray[np.float64]
_TYPES: Final = ("f", "d")


class MatrixRules:
    """Checks rows [N, F] of one model."""

    def __init__(self, spec: ModelSpec, validator: Validator) -> None:
        columns = spec.feature_columns
        self.features: Final = spec.features
        self._columns = columns
        self._validator = validator
        limits = [_limits(column) for column in columns]
        self._low = {kind: np.array([low for low, _ in limits], dtype=kind) for kind in _TYPES}
        self._high = {kind: np.array([high for _, high in limits], dtype=kind) for kind in _TYPES}
        self._fractions = np.array([column.type == "float" for column in columns])
        self._nullable = np.array([column.nullable for column in columns])
        self._any_whole = not self._fractions.all()
        self._any_nullable = bool(self._nullable.any())

    def checked(self, matrix: Floats) -> Matrix:
        """`matrix` as float32; RequestError for too few or too many rows, or with row and field of the first fault."""
        self._validator.count(len(matrix))
        good = self.good(matrix)
        if not good.all():
            row = int(np.argmin(good.all(axis=1)))
            raise self._fault(matrix, row, int(np.argmin(good[row])))
        return matrix.astype(np.float32, copy=False)

    def good(self, matrix: Floats) -> npt.NDArray[np.bool_]:
        """Which values [N, F] of a float32 or float64 matrix are right; infinity never is, NaN only as a null."""
        kind = matrix.dtype.char
        good = (matrix >= self._low[kind]) & (matrix <= self._high[kind])
        if self._any_whole:
            with np.errstate(invalid="ignore"):  # a signalling NaN warns
                good &= (np.floor(matrix) == matrix) | self._fractions
        if self._any_nullable:
            good |= np.isnan(matrix) & self._nullable
        return good

    def _fault(self, matrix: Floats, row: int, position: int) -> RequestError:
        value, column = float(matrix[row, position]), self._columns[position]
        if column.type == "category":
            last = len(column.categories) - 1
            message = f"expected the place, from 0 to {last}, of {column.expectation}; got {value:g}"
            return RequestError("unknown_category", message, row=row, field=column.name)
        try:
            self._validator.value(position, value, row)
        except RequestError as error:
            return error
        return RequestError("out_of_range", f"expected {column.expectation}, got {value:g}", row=row, field=column.name)


def _limits(column: Column) -> tuple[float, float]:
    if column.type == "category":
        return 0.0, len(column.categories) - 1.0
    low = -FLOAT32_MAX if column.minimum is None else column.minimum
    return low, FLOAT32_MAX if column.maximum is None else column.maximum


def real_numbers(array: npt.NDArray[Any]) -> Floats | None:
    """`array` as float32 or float64 in this machine's byte order, whatever number type it has; None for no numbers."""
    if array.dtype.kind not in "fiu" or array.dtype.itemsize > 8:
        return None
    if array.dtype.kind == "f" and array.dtype.itemsize <= 4:
        return np.ascontiguousarray(array, dtype=np.float32)
    return np.ascontiguousarray(array, dtype=np.float64)
