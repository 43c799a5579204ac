"""The hyperparameters of a training job: strings as SageMaker passes them, turned into typed, bounded values.

Three parties share the one flat dictionary: the job (which model, which snapshot), the training loop, and the network.
"""

from collections.abc import Mapping
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from training.errors import JobError


class Hyperparameters(BaseModel):
    """Base of every group of hyperparameters: frozen, and an unknown key or a wrong type is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class JobHyperparameters(Hyperparameters):
    """What the pipeline tells the job."""

    model: Annotated[str, Field(min_length=1)]
    snapshot_id: Annotated[str, Field(min_length=1)]
    image: str = "unknown"
    """URI with digest of the image that the job runs in; only recorded."""


class LoopHyperparameters(Hyperparameters):
    """How the training loop runs."""

    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    epochs: Annotated[int, Field(ge=1, le=100_000)] = 300
    batch_size: Annotated[int, Field(ge=1)] = 64
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 3e-3
    """Highest rate; a cosine takes it there in the first tenth of the steps and then down to zero."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    evaluate_every: Annotated[int, Field(ge=1)] = 5
    """Epochs between two looks at the validation split."""
    smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.8
    """Weight of the past in the validation error that early stopping follows: a small split is noisy."""
    patience: Annotated[int, Field(ge=1)] = 150
    """Epochs without a better smoothed validation error after which training stops."""
    threads: Annotated[int, Field(ge=0, le=1024)] = 0
    """Processor threads of one operation, 0 for all there are. On a busy machine, threads of a small network mostly
    wait for one another: auto-mpg took 2 s with one and 186 s with two of two processors that others used as well."""
    checkpoint_every: Annotated[int, Field(ge=1)] = 25
    """Epochs between two checkpoints."""


Group = TypeVar("Group", bound=Hyperparameters)


def parse_job(raw: Mapping[str, str]) -> JobHyperparameters:
    """The job's own hyperparameters, read first because they name the model whose network knows the rest."""
    return _parse(JobHyperparameters, raw)


def parse_network(raw: Mapping[str, str], network: type[Group]) -> tuple[LoopHyperparameters, Group]:
    """The training loop's and the network's hyperparameters; JobError for a key that nobody knows."""
    groups: tuple[type[Hyperparameters], ...] = (JobHyperparameters, LoopHyperparameters, network)
    known = sorted({key for group in groups for key in group.model_fields})
    for key in raw:
        if key not in known:
            raise JobError(f"unknown hyperparameter {key!r}; known are {', '.join(known)}")
    return _parse(LoopHyperparameters, raw), _parse(network, raw)


def _parse(group: type[Group], raw: Mapping[str, str]) -> Group:
    try:
        return group.model_validate({key: value for key, value in raw.items() if key in group.model_fields})
    except ValidationError as error:
        finding = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in finding["loc"])
        if finding["type"] == "missing":
            raise JobError(f"hyperparameter {key!r} is missing") from error
        raise JobError(f"hyperparameter {key!r}: {finding['msg']} (found {finding['input']!r})") from error
