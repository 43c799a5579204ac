"""How training meets a model: what `models/<name>/network.py` must hold. Adding that file is all a new model needs.

    class Hyperparameters(training.hyperparameters.Hyperparameters)
        the network's own hyperparameters with types, limits and defaults;
    def build(spec, hyperparameters, features, target, generator) -> Network
        a network whose preprocessing is fitted on the training split, given as float32 features [N, F] (encoded by
        `models.rows.feature_matrix`) and float64 target [N]. Random numbers come from `generator` alone.

A `Network` is a torch module over encoded rows: preprocessing is inside, as layers, so the exported ONNX graph is all
that serving needs. `training.layers` has the usual pieces. The training loop calls `loss` on mini-batches and looks at
`forward` on the validation split; parameters whose name ends in `bias` are spared weight decay.
"""

import importlib
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
import numpy.typing as npt
import torch

from models.spec import ModelSpec
from training.errors import JobError
from training.hyperparameters import Hyperparameters


class Network(torch.nn.Module, ABC):
    """A network with its preprocessing inside."""

    @abstractmethod
    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Predictions [N] in the target's unit for encoded rows [N, F], float32, NaN where a value is missing."""

    @abstractmethod
    def loss(
        self, features: torch.Tensor, target: torch.Tensor, rows: torch.Tensor, generator: torch.Generator
    ) -> torch.Tensor:
        """The scalar to minimise on a mini-batch: features [B, F], target [B], `rows` [B] their places in the split."""


class Build(Protocol):
    """`build` of a network module; each takes its own class of hyperparameters."""

    def __call__(
        self,
        spec: ModelSpec,
        hyperparameters: Hyperparameters,
        features: npt.NDArray[np.float32],
        target: npt.NDArray[np.float64],
        generator: torch.Generator,
    ) -> Network:
        """The network, fitted to the training split as far as preprocessing goes."""
        ...


@dataclass(frozen=True)
class NetworkModule:
    """The two names that training takes from `models/<name>/network.py`."""

    hyperparameters: type[Hyperparameters]
    build: Build


def load_network(spec: ModelSpec) -> NetworkModule:
    """The network module of the model; JobError when the file or one of its two names is missing."""
    name = f"models.{spec.table}.network"
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name not in {name, f"models.{spec.table}"}:
            raise
        raise JobError(f"models/{spec.table}/network.py: no such file; it holds the network of {spec.name}") from error
    try:
        return NetworkModule(cast("type[Hyperparameters]", module.Hyperparameters), cast("Build", module.build))
    except AttributeError as error:
        raise JobError(f"models/{spec.table}/network.py: {error.name!r} is missing; see training/network.py") from error
