from pathlib import Path
from typing import Any

import pytest

from models.spec import ModelSpec
from training.dataset import read_rows
from training.errors import JobError
from training.fit import Surroundings
from training.network import load_network
from training.train import Settings, fit_network, make_deterministic

RAW = {"members": "2", "width": "8", "evaluate_every": "1", "threads": "1"}


@pytest.fixture
def surroundings(tmp_path: Path) -> Surroundings:
    make_deterministic(1)
    return Surroundings(tmp_path, "run", lambda: False, lambda _line: None)


def fitted(job: Any, spec: ModelSpec, surroundings: Surroundings, **raw: str) -> Any:
    channel = job.base / "input/data/dataset"
    training, validation = (read_rows(channel, side, spec) for side in ("train", "validation"))
    return fit_network(spec, Settings.parse(load_network(spec), {**RAW, **raw}), training, validation, surroundings)


def test_training_stops_when_validation_no_longer_improves(
    job: Any, spec: ModelSpec, surroundings: Surroundings
) -> None:
    trained = fitted(job, spec, surroundings, epochs="2000", patience="6", learning_rate="0.03", smoothing="0")
    progress = trained.progress
    assert progress.epoch < 2000
    assert progress.epoch - progress.best_epoch == 6


def test_the_best_weights_are_kept(job: Any, spec: ModelSpec, surroundings: Surroundings) -> None:
    trained = fitted(job, spec, surroundings, epochs="40", learning_rate="0.1", smoothing="0")
    curve = trained.progress.history.validation_mae
    assert trained.progress.best == min(curve)
    assert trained.validation["mae"] == pytest.approx(min(curve), rel=1e-6)


def test_progress_is_reported_as_metrics_that_sagemaker_can_parse(job: Any, spec: ModelSpec, tmp_path: Path) -> None:
    lines: list[str] = []
    fitted(job, spec, Surroundings(tmp_path, "run", lambda: False, lines.append), epochs="2")
    assert [line.split()[0] for line in lines] == ["epoch=1", "epoch=2"]
    assert all("validation_mae=" in line for line in lines)


def test_a_run_that_diverges_says_so(job: Any, spec: ModelSpec, surroundings: Surroundings) -> None:
    with pytest.raises(JobError, match=r"training diverged by epoch \d+ .*: lower learning_rate"):
        fitted(job, spec, surroundings, epochs="400", learning_rate="1", weight_decay="3")
