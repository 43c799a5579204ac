"""The training loop: mini-batches, a cosine schedule, early stopping on the validation split, exact resume.

Everything random comes from one CPU generator whose state is part of a checkpoint, and the learning rate is a function
of the step alone, so a run that was killed and resumed ends in the same bits as one that was not.
"""

import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

import torch
from pydantic import TypeAdapter

from training import checkpoints
from training.checkpoints import Checkpoint
from training.dataset import Rows
from training.errors import JobError, Stopped
from training.hyperparameters import LoopHyperparameters
from training.network import Network

_WARM_UP = 0.1
"""Share of all steps in which the learning rate rises."""


@dataclass
class History:
    """The learning curve, one entry per look at the validation split."""

    epoch: list[int] = field(default_factory=list[int])
    training_loss: list[float] = field(default_factory=list[float])
    validation_mae: list[float] = field(default_factory=list[float])


@dataclass
class Progress:
    """Where a run stands."""

    epoch: int = 0
    smoothed: float | None = None
    best: float | None = None
    best_epoch: int = 0
    history: History = field(default_factory=History)


@dataclass(frozen=True)
class Surroundings:
    """What a run needs of the outside: where checkpoints go, who tells it to stop, who prints."""

    checkpoint_folder: Path
    run: str
    stopping: Callable[[], bool]
    report: Callable[[str], None]


class Fit:
    """One run of the loop over one network; afterwards the network holds the best weights."""

    def __init__(
        self,
        network: Network,
        training: Rows,
        validation: Rows,
        settings: LoopHyperparameters,
        generator: torch.Generator,
    ) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.network = network.to(self.device)
        self.settings = settings
        self.generator = generator
        self.progress = Progress()
        self.features, self.target = self._tensors(training)
        self.validation = self._tensors(validation)
        self.optimiser = torch.optim.AdamW(self._groups(), lr=settings.learning_rate, fused=True)
        self.best = self._weights()

    def run(self, surroundings: Surroundings) -> Progress:
        """Train from the newest checkpoint, or from the start; Stopped once SIGTERM was seen and the state is saved."""
        self._resume(surroundings)
        started = time.monotonic()
        while not self._finished():
            if surroundings.stopping():
                self._save(surroundings)
                raise Stopped(f"stopped after epoch {self.progress.epoch}, checkpoint written")
            loss = self._train_one_epoch()
            self.progress.epoch += 1
            if self.progress.epoch % self.settings.evaluate_every == 0 or self.progress.epoch == self.settings.epochs:
                self._evaluate(loss, surroundings.report, time.monotonic() - started)
            if self.progress.epoch % self.settings.checkpoint_every == 0:
                self._save(surroundings)
        self._save(surroundings)
        self.network.load_state_dict(self.best)
        return self.progress

    def _finished(self) -> bool:
        progress = self.progress
        waited = progress.epoch - progress.best_epoch
        return progress.epoch >= self.settings.epochs or waited >= self.settings.patience

    def _train_one_epoch(self) -> float:
        self.network.train()
        order = torch.randperm(len(self.target), generator=self.generator).to(self.device)
        batches = torch.split(order, self.settings.batch_size)
        total = torch.zeros((), device=self.device)
        for step, rows in enumerate(batches):
            self._set_rate((self.progress.epoch + step / len(batches)) / self.settings.epochs)
            loss = self.network.loss(self.features[rows], self.target[rows], rows, self.generator)
            self.optimiser.zero_grad()
            loss.backward()  # pyright: ignore[reportUnknownMemberType]
            self.optimiser.step()  # pyright: ignore[reportUnknownMemberType]
            total += loss.detach() * len(rows)
        return float(total) / len(order)

    def _evaluate(self, loss: float, report: Callable[[str], None], seconds: float) -> None:
        self.network.eval()
        features, target = self.validation
        with torch.no_grad():
            error = float((self.network(features).double() - target.double()).abs().mean())
        progress, past = self.progress, self.settings.smoothing
        if not math.isfinite(error):
            raise JobError(f"training diverged by epoch {progress.epoch} (validation {error}): lower learning_rate")
        progress.smoothed = error if progress.smoothed is None else past * progress.smoothed + (1 - past) * error
        if progress.best is None or progress.smoothed < progress.best:
            progress.best, progress.best_epoch, self.best = progress.smoothed, progress.epoch, self._weights()
        progress.history.epoch.append(progress.epoch)
        progress.history.training_loss.append(loss)
        progress.history.validation_mae.append(error)
        report(
            f"epoch={progress.epoch} training_loss={loss:.4f} validation_mae={error:.4f} "
            f"smoothed_validation_mae={progress.smoothed:.4f} best_epoch={progress.best_epoch} seconds={seconds:.1f}"
        )

    def _set_rate(self, done: float) -> None:
        if done < _WARM_UP:
            factor = 0.04 + 0.96 * done / _WARM_UP
        else:
            factor = 0.5 * (1 + math.cos(math.pi * (done - _WARM_UP) / (1 - _WARM_UP)))
        for group in self.optimiser.param_groups:
            group["lr"] = self.settings.learning_rate * factor

    def _groups(self) -> list[dict[str, Any]]:
        named = list(self.network.named_parameters())
        return [
            {
                "params": [weight for name, weight in named if not name.endswith("bias")],
                "weight_decay": self.settings.weight_decay,
            },
            {"params": [weight for name, weight in named if name.endswith("bias")], "weight_decay": 0.0},
        ]

    def _weights(self) -> dict[str, torch.Tensor]:
        return {name: tensor.detach().clone() for name, tensor in self.network.state_dict().items()}

    def _tensors(self, rows: Rows) -> tuple[torch.Tensor, torch.Tensor]:
        target = torch.tensor(rows.target, dtype=torch.float32, device=self.device)
        return torch.tensor(rows.features, device=self.device), target

    def _save(self, surroundings: Surroundings) -> None:
        tensors = {f"network.{name}": tensor for name, tensor in self.network.state_dict().items()}
        tensors |= {f"best.{name}": tensor for name, tensor in self.best.items()}
        state = cast("dict[int, dict[str, torch.Tensor]]", self.optimiser.state_dict()["state"])
        for index, entries in state.items():
            tensors |= {f"optimiser.{index}.{name}": tensor for name, tensor in entries.items()}
        tensors["generator"] = self.generator.get_state()
        checkpoint = Checkpoint(tensors, json.dumps(asdict(self.progress)), surroundings.run)
        checkpoints.save(surroundings.checkpoint_folder, self.progress.epoch, checkpoint)

    def _resume(self, surroundings: Surroundings) -> None:
        found, remarks = checkpoints.latest(surroundings.checkpoint_folder, surroundings.run)
        for remark in remarks:
            surroundings.report(remark)
        if found is None:
            return
        parts: dict[str, dict[str, torch.Tensor]] = {"network": {}, "best": {}, "optimiser": {}}
        for name, tensor in found.tensors.items():
            part, _, rest = name.partition(".")
            if part in parts:
                parts[part][rest] = tensor
        self.network.load_state_dict(parts["network"])
        self.best = {name: tensor.to(self.device) for name, tensor in parts["best"].items()}
        self._restore_optimiser(parts["optimiser"])
        self.generator.set_state(found.tensors["generator"])
        self.progress = TypeAdapter(Progress).validate_python(json.loads(found.progress))
        surroundings.report(f"resumed from the checkpoint after epoch {self.progress.epoch}")

    def _restore_optimiser(self, tensors: dict[str, torch.Tensor]) -> None:
        state: dict[int, dict[str, torch.Tensor]] = {}
        for name, tensor in tensors.items():
            index, _, entry = name.partition(".")
            state.setdefault(int(index), {})[entry] = tensor
        whole = self.optimiser.state_dict()
        self.optimiser.load_state_dict({"state": state, "param_groups": whole["param_groups"]})
