"""Pieces that networks are made of: preprocessing as layers, target scaling, and an ensemble as one batched module.

What is fitted lies in buffers, so it is saved, restored and exported together with the weights.
"""

from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch

from models.spec import ModelSpec
from training.errors import JobError


class Preprocessing(torch.nn.Module):
    """Encoded rows [N, F] → standardised inputs [N, `width`], fitted on the training split.

    Numbers first, then one input per category. A missing number becomes the training mean (zero after standardising),
    a missing category belongs to none.
    """

    numbers: torch.Tensor
    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, spec: ModelSpec, features: npt.NDArray[np.float32]) -> None:
        super().__init__()
        columns = spec.feature_columns
        self.categories = [(at, len(column.categories)) for at, column in enumerate(columns) if not column.is_numeric]
        numbers = [at for at, column in enumerate(columns) if column.is_numeric]
        self.register_buffer("numbers", torch.tensor(numbers, dtype=torch.int64))
        side_by_side = numbers != [] and numbers == list(range(numbers[0], numbers[-1] + 1))
        self.span = (numbers[0], numbers[-1] + 1) if side_by_side else (0, 0)
        plain = self._plain(torch.tensor(features, dtype=torch.float64).t()).t().numpy()
        present = ~np.isnan(plain)
        count = np.maximum(present.sum(axis=0), 1)
        mean = np.where(present, plain, 0).sum(axis=0) / count
        deviation = np.sqrt(np.where(present, (plain - mean) ** 2, 0).sum(axis=0) / count)
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32))
        # A column that never varies says nothing; dividing it by one keeps it harmless.
        self.register_buffer("scale", torch.tensor(np.where(deviation > 0, deviation, 1), dtype=torch.float32))
        self.width = plain.shape[1]

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Standardised inputs [N, width]."""
        # A column of the rows becomes a row here: to each of those ONNX Runtime applies one mean and one scale in a
        # single sweep, where it would begin anew for every row of a few columns.
        inputs = (self._plain(features.t()) - self.mean.unsqueeze(1)) / self.scale.unsqueeze(1)
        return torch.where(torch.isnan(inputs), 0.0, inputs).t()

    def _plain(self, columns: torch.Tensor) -> torch.Tensor:
        """Encoded columns [F, N] → plain inputs [width, N]."""
        # Those that lie side by side are cut in a fraction of the time that gathering takes.
        first, end = self.span
        parts = [columns[first:end] if end else columns.index_select(0, self.numbers)]
        for at, count in self.categories:
            known = torch.arange(count, dtype=columns.dtype, device=columns.device).unsqueeze(1)
            parts.append((columns[at : at + 1] == known).to(columns.dtype))
        return torch.cat(parts)


class TargetScale(torch.nn.Module):
    """The target, or its logarithm, standardised on the training split."""

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, target: npt.NDArray[np.float64], kind: Literal["linear", "log"]) -> None:
        super().__init__()
        self.log = kind == "log"
        if self.log and target.min() <= 0:
            raise JobError(f'the target goes down to {target.min():g}: set the hyperparameter target_scale = "linear"')
        values = np.log(target) if self.log else target
        self.register_buffer("mean", torch.tensor(values.mean(), dtype=torch.float32))
        self.register_buffer("scale", torch.tensor(values.std() or 1.0, dtype=torch.float32))

    def forward(self, target: torch.Tensor) -> torch.Tensor:
        """From the target's unit to what the network learns."""
        return ((target.log() if self.log else target) - self.mean) / self.scale

    def inverse(self, scaled: torch.Tensor) -> torch.Tensor:
        """Back to the target's unit."""
        values = scaled * self.scale + self.mean
        return values.exp() if self.log else values


class BatchedLinear(torch.nn.Module):
    """One linear layer for each of K members: [K or 1, N, inputs] or [N, inputs] → [K, N, outputs].

    A single member's comes as [N, outputs] from [N, inputs]: ONNX has one operator for such a product with its bias.
    """

    def __init__(self, members: int, inputs: int, outputs: int, generator: torch.Generator) -> None:
        super().__init__()
        self.single = members == 1
        bound = (3 / inputs) ** 0.5
        draw = torch.rand(members, inputs, outputs, generator=generator) * 2 - 1
        self.weight = torch.nn.Parameter(draw * bound)
        self.bias = torch.nn.Parameter(torch.zeros(members, 1, outputs))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """The members' outputs."""
        if self.single and inputs.dim() == 2:
            return torch.addmm(self.bias[0], inputs, self.weight[0])
        return torch.matmul(inputs, self.weight) + self.bias


class Ensemble(torch.nn.Module):
    """K multilayer perceptrons side by side, one batched product per layer.

    [K or 1, N, inputs] or [N, inputs] → [K, N]; of a single member [N, inputs] → [N].
    """

    def __init__(self, members: int, inputs: int, hidden: tuple[int, ...], generator: torch.Generator) -> None:
        super().__init__()
        widths = (inputs, *hidden, 1)
        self.layers = torch.nn.ModuleList(
            BatchedLinear(members, before, after, generator) for before, after in pairwise(widths)
        )

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """The members' outputs."""
        for layer in self.layers[:-1]:
            inputs = torch.nn.functional.silu(layer(inputs))
        return self.layers[-1](inputs).squeeze(-1)


def bags(members: int, rows: int, fraction: float, generator: torch.Generator) -> torch.Tensor:
    """Weights [members, rows] that give each member its own share of the training rows, one on average."""
    return (torch.rand(members, rows, generator=generator) < fraction).float() / fraction
