"""The linear model every network is measured against: ordinary least squares on standardised, one-hot encoded rows.

It is fitted with numpy on the training split alone, and has no settings to tune.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.spec import ModelSpec

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LinearModel:
    """Least-squares weights over standardised inputs, with what standardises them."""

    spec: ModelSpec
    mean: Matrix
    scale: Matrix
    weights: Matrix

    @classmethod
    def fit(cls, spec: ModelSpec, features: npt.NDArray[np.float32], target: Matrix) -> "LinearModel":
        """Fit on encoded rows [N, F] and target [N]; a missing number counts as the training mean."""
        plain = _one_hot(spec, features)
        present = ~np.isnan(plain)
        count = np.maximum(present.sum(axis=0), 1)
        mean: Matrix = np.where(present, plain, 0).sum(axis=0) / count
        deviation: Matrix = np.sqrt(np.where(present, (plain - mean) ** 2, 0).sum(axis=0) / count)
        scale: Matrix = np.where(deviation > 0, deviation, 1)
        weights = np.asarray(np.linalg.lstsq(_design(plain, mean, scale), target, rcond=None)[0], dtype=np.float64)
        return cls(spec, mean, scale, weights)

    def predict(self, features: npt.NDArray[np.float32]) -> Matrix:
        """Predictions [N] for encoded rows [N, F]."""
        return _design(_one_hot(self.spec, features), self.mean, self.scale) @ self.weights


def _one_hot(spec: ModelSpec, features: npt.NDArray[np.float32]) -> Matrix:
    parts: list[Matrix] = []
    for at, column in enumerate(spec.feature_columns):
        values = features[:, at : at + 1].astype(np.float64)
        parts.append(values if column.is_numeric else (values == np.arange(len(column.categories))).astype(np.float64))
    return np.concatenate(parts, axis=1)


def _design(plain: Matrix, mean: Matrix, scale: Matrix) -> Matrix:
    standardised = np.nan_to_num((plain - mean) / scale, nan=0.0)
    return np.concatenate([standardised, np.ones((len(plain), 1))], axis=1)
