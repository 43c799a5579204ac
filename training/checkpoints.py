"""Checkpoints that resume a run exactly: weights, optimiser, random state and progress in one safetensors file.

A file is written beside its final name and renamed, so `kill -9` leaves the previous one whole; two are kept, so a file
that was torn on its way to S3 and back costs one interval, not the run. Nothing is pickled.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file  # pyright: ignore[reportUnknownVariableType]

_KEPT = 2
_PATTERN = "epoch-*.safetensors"


@dataclass(frozen=True)
class Checkpoint:
    """Named tensors, and what is no tensor as JSON text; `run` names the run it belongs to."""

    tensors: dict[str, torch.Tensor]
    progress: str
    run: str


def save(folder: Path, epoch: int, checkpoint: Checkpoint) -> Path:
    """Write the checkpoint reached after `epoch` epochs; only whole files ever carry the final name."""
    path = folder / f"epoch-{epoch:06d}.safetensors"
    unfinished = folder / f".{path.name}.{os.getpid()}"
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in checkpoint.tensors.items()}
    save_file(tensors, unfinished, metadata={"progress": checkpoint.progress, "run": checkpoint.run})
    with unfinished.open("rb") as file:
        os.fsync(file.fileno())
    unfinished.replace(path)
    for old in _newest_first(folder)[_KEPT:]:
        old.unlink()
    return path


def latest(folder: Path, run: str) -> tuple[Checkpoint | None, list[str]]:
    """The newest whole checkpoint of `run`, and a line for each file that had to be passed over."""
    remarks: list[str] = []
    for path in _newest_first(folder):
        try:
            found = _read(path)
        except (SafetensorError, OSError, KeyError, ValueError) as error:
            remarks.append(f"checkpoint {path.name} is not readable ({error}): passed over")
            continue
        if found.run == run:
            return found, remarks
        remarks.append(f"checkpoint {path.name} is of another run (other rows, code settings or seed): passed over")
    return None, remarks


def run_name(*parts: object) -> str:
    """What has to be equal for a checkpoint to be of the same run, as one sha256 over canonical JSON."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _read(path: Path) -> Checkpoint:
    with safe_open(path, framework="pt") as file:  # pyright: ignore[reportUnknownVariableType]
        metadata = cast("dict[str, str]", file.metadata())  # pyright: ignore[reportUnknownMemberType]
        names = cast("list[str]", list(file.keys()))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
        tensors = {name: cast("torch.Tensor", file.get_tensor(name)) for name in names}  # pyright: ignore[reportUnknownMemberType]
    return Checkpoint(tensors=tensors, progress=metadata["progress"], run=metadata["run"])


def _newest_first(folder: Path) -> list[Path]:
    return sorted(folder.glob(_PATTERN), reverse=True)
