from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from models.spec import ModelSpec
from monitoring.baseline import BASELINE_FILE, Baseline
from training.artefact import sha256_of
from training.dataset import read_rows
from training.errors import JobError, Stopped
from training.onnx_model import OnnxModel
from training.train import train


def test_the_artefact_is_whole_and_says_where_it_comes_from(job: Any) -> None:
    train(job.container())
    manifest, folder = job.manifest(), job.base / "model"
    assert manifest["model"] == "auto-mpg"
    assert manifest["dataset"] == {"table": "auto_mpg", "snapshot_id": "4242", "rows": 398}
    assert manifest["git_commit"] == "c0ffee"
    assert manifest["hyperparameters"]["members"] == 4
    kept = {each["file"] for each in manifest["formats"] if each["kept"]}
    assert kept == {"model.onnx", "model.int8.onnx", "model.fp16.onnx"}
    assert set(manifest["files"]) == kept | {"spec.json", "baseline.json", "history.json"}
    assert all(sha256_of(folder / name) == digest for name, digest in manifest["files"].items())
    assert ModelSpec.from_json((folder / "spec.json").read_text()) == job.spec
    assert len(Baseline.load(folder / BASELINE_FILE).sample) == 5


def test_equal_runs_give_equal_bytes_whatever_the_order_of_the_rows(
    make_job: Callable[[str], Any], cars: list[dict[str, Any]]
) -> None:
    from_first, from_last = make_job("a"), make_job("b")
    for job, step in ((from_first, 1), (from_last, -1)):
        job.export(cars=cars[::step])
        train(job.configure().container())
    assert from_first.manifest()["metrics"] == from_last.manifest()["metrics"]
    assert from_first.manifest()["files"] == from_last.manifest()["files"]


def test_another_seed_gives_another_model(make_job: Callable[[str], Any]) -> None:
    metrics: list[Any] = []
    for seed in ("0", "1"):
        job = make_job(seed)
        job.export()
        train(job.configure(seed=seed, epochs="3").container())
        metrics.append(job.manifest()["metrics"])
    assert metrics[0] != metrics[1]


def test_a_missing_value_is_predicted(job: Any) -> None:
    train(job.configure(epochs="3").container())
    rows = read_rows(job.base / "input/data/dataset", "train", job.spec)
    assert np.isnan(rows.features).any()
    assert np.isfinite(OnnxModel(job.base / "model/model.onnx").predict(rows.features)).all()


def test_stopping_between_epochs_then_going_on(make_job: Callable[[str], Any]) -> None:
    stopped, whole = make_job("stopped"), make_job("whole")
    for job in (stopped, whole):
        job.export()
        job.configure(epochs="6")
    container = stopped.container()
    container.stop[0] = True
    with pytest.raises(Stopped, match="checkpoint written"):
        train(container)
    train(stopped.container())
    train(whole.container())
    assert stopped.manifest()["files"] == whole.manifest()["files"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": ""}, "hyperparameter 'model' is missing"),
        ({"model": "auto-mgp"}, "unknown model 'auto-mgp'; models are: auto-mpg"),
        ({"epochs": "many"}, "hyperparameter 'epochs': .*integer.*found 'many'"),
        ({"learning_rate": "-1"}, "hyperparameter 'learning_rate': .*greater than 0"),
        ({"learning_rate": "nan"}, "hyperparameter 'learning_rate': .*finite"),
        ({"members": "0"}, "hyperparameter 'members': .*greater than or equal to 1"),
        ({"target_scale": "square"}, "hyperparameter 'target_scale': .*'linear' or 'log'"),
        ({"layers": "3"}, "unknown hyperparameter 'layers'; known are .*depth"),
        ({"snapshot_id": "17"}, "dataset.json: snapshot_id is '4242', the job was started for '17'"),
    ],
)
def test_mistakes_in_hyperparameters_are_named(job: Any, changes: dict[str, str], message: str) -> None:
    with pytest.raises(JobError, match=message):
        train(job.configure(**changes).container())


def test_two_instances_are_refused(job: Any) -> None:
    (job.base / "input/config/resourceconfig.json").write_text('{"hosts": ["algo-1", "algo-2"]}')
    with pytest.raises(JobError, match=r"2 instances.*instance_count = 1"):
        train(job.container())
