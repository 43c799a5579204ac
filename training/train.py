"""The training job: the pinned snapshot's export in, an artefact in /opt/ml/model out."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import torch

from models.rows import Side
from models.spec import ModelSpec
from training import checkpoints
from training.container import Container
from training.dataset import Rows, read_dataset, read_rows
from training.export import Lineage, write_artefact
from training.fit import Fit, Progress, Surroundings
from training.hyperparameters import Hyperparameters, LoopHyperparameters, parse_job, parse_network
from training.metrics import regression_metrics
from training.network import Network, NetworkModule, load_network
from training.specs import spec_named

SIDES: tuple[Side, ...] = ("train", "validation", "test")


@dataclass(frozen=True)
class Settings:
    """A model's network and the hyperparameters of this run, parsed."""

    module: NetworkModule
    loop: LoopHyperparameters
    network: Hyperparameters

    @classmethod
    def parse(cls, module: NetworkModule, raw: Mapping[str, str]) -> "Settings":
        """From the job's strings; JobError names a hyperparameter that is unknown or out of range."""
        return cls(module, *parse_network(raw, module.hyperparameters))

    def flat(self) -> dict[str, str | int | float | bool]:
        """Every value that decides the result, defaults filled in."""
        return {**self.loop.model_dump(), **self.network.model_dump()}


@dataclass(frozen=True)
class Trained:
    """A trained network and how it got there."""

    network: Network
    progress: Progress
    validation: dict[str, float]
    """Metrics on the validation split, by name."""


def make_deterministic(threads: int) -> None:
    """The same operations in the same order from now on, on `threads` processors."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS is deterministic only with this
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(mode=True)


def fit_network(
    spec: ModelSpec, settings: Settings, training: Rows, validation: Rows, surroundings: Surroundings
) -> Trained:
    """Build the network over the training split and train it."""
    generator = torch.Generator().manual_seed(settings.loop.seed)
    network = settings.module.build(spec, settings.network, training.features, training.target, generator)
    progress = Fit(network, training, validation, settings.loop, generator).run(surroundings)
    network = network.cpu().eval()
    with torch.no_grad():
        prediction = network(torch.tensor(validation.features)).double().numpy()
    return Trained(network, progress, regression_metrics(validation.target, prediction))


def run_name(spec: ModelSpec, settings: Settings, *sides: Rows) -> str:
    """What a checkpoint must share with a run to go on from it: specification, hyperparameters and the very rows."""
    rows = [[*side.features.ravel().tolist(), *side.target.tolist()] for side in sides]
    return checkpoints.run_name(spec.digest, settings.flat(), rows)


def train(container: Container) -> None:
    """The job from start to end; JobError for what the user can put right, Stopped after SIGTERM."""
    container.require_one_host()
    raw = container.hyperparameters()
    job = parse_job(raw)
    spec = spec_named(job.model)
    settings = Settings.parse(load_network(spec), raw)
    channel = container.channel("dataset")
    dataset = read_dataset(channel, spec, job.snapshot_id)
    training, validation, test = (read_rows(channel, side, spec) for side in SIDES)
    if dataset.spec_digest != spec.digest:
        _say("the dataset was exported under another version of model.toml than this image holds")
    _say(f"training {spec.name}: {len(training)} rows, {len(validation)} for validation, snapshot {job.snapshot_id}")
    make_deterministic(settings.loop.threads or container.cpu_count)
    name = run_name(spec, settings, training, validation)
    surroundings = Surroundings(container.checkpoint_folder, name, lambda: container.stop[0], _say)
    trained = fit_network(spec, settings, training, validation, surroundings)
    metrics = {f"validation_{metric}": value for metric, value in trained.validation.items()}
    lineage = Lineage(
        dataset=dataset,
        git_commit=container.git_commit,
        image=job.image,
        seed=settings.loop.seed,
        hyperparameters=settings.flat(),
        metrics={**metrics, "best_epoch": trained.progress.best_epoch, "epochs": trained.progress.epoch},
    )
    history = json.dumps(asdict(trained.progress.history))
    # The test rows only check that the graph computes what the network does; nobody looks at their target here.
    write_artefact(
        container.model_folder,
        spec,
        trained.network,
        training=training,
        validation=validation,
        test=test,
        history=history,
        lineage=lineage,
    )
    summary = json.dumps(dict(lineage.metrics), sort_keys=True)
    (container.output_folder / "metrics.json").write_text(summary + "\n", encoding="utf-8")
    _say(" ".join(f"{metric}={value:.6g}" for metric, value in lineage.metrics.items()))


def _say(line: str) -> None:
    print(line, flush=True)
