"""The one way rows become numbers, shared by training, evaluation and serving, and the one way they are split."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from models.schema import Split
from models.spec import ModelSpec

Side = Literal["train", "validation", "test"]
_HASH_BITS = 64


def feature_matrix(spec: ModelSpec, columns: Mapping[str, Sequence[object]]) -> npt.NDArray[np.float32]:
    """The rows in `columns` as the network's input.

    Returns float32 [N, F] in the order of `spec.features`: a number as it is (in its column's unit), a missing one as
    NaN, a category as its index in the column's `categories`. KeyError for a missing column, ValueError for an unknown
    category or a value that is no number.
    """
    first = columns[spec.features[0]]
    matrix = np.empty((len(first), len(spec.features)), dtype=np.float32)
    for position, column in enumerate(spec.feature_columns):
        values = columns[column.name]
        if column.type == "category":
            index: dict[object, float] = {category: float(i) for i, category in enumerate(column.categories)}
            index[None] = float("nan")
            try:
                matrix[:, position] = [index[value] for value in values]
            except KeyError as error:
                known = ", ".join(column.categories)
                raise ValueError(f"{column.name}: unknown category {error.args[0]!r}; known are {known}") from error
        else:
            matrix[:, position] = np.array(values, dtype=np.float64)
    return matrix


def split_fraction(seed: int, key_values: Sequence[object]) -> float:
    """Where a row stands in [0, 1), by sha256 of the seed and its key: the same row is always at the same place."""
    text = "\x1f".join([str(seed), *(str(value) for value in key_values)])
    digest = hashlib.sha256(text.encode()).digest()
    return int.from_bytes(digest[: _HASH_BITS // 8], "big") / 2**_HASH_BITS


def split_of(split: Split, key_values: Sequence[object]) -> Side:
    """The side of the split that the row with these key values (in the order of `spec.key`) belongs to."""
    fraction = split_fraction(split.seed, key_values)
    if fraction < split.test_fraction:
        return "test"
    if fraction < split.test_fraction + split.validation_fraction:
        return "validation"
    return "train"
