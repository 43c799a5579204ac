"""SageMaker's contract for training jobs, held by the training image in real containers, read-only, without network."""

import json
import os
import time
from pathlib import Path

import pytest

from rehearsal.containers.box import open_to_all
from rehearsal.containers.build import BuiltImage
from rehearsal.containers.engine import Engine
from tests.containers.running import running
from tests.training.conftest import Job
from training.specs import spec_named

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
LONG = {"epochs": "20000", "patience": "100000"}


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A job's folders as SageMaker mounts them: root's; data and configuration are read, the rest may be written."""
    made = Job(tmp_path / "ml", spec_named("auto-mpg"))
    made.export()
    made.configure()
    open_to_all(made.base)
    return made


def test_it_trains_over_folders_that_belong_to_root(
    engine: Engine, training_image: BuiltImage, packages: tuple[str, ...], job: Job
) -> None:
    options = (*packages, "--cpus", "1", "--memory", "4g")
    with running(engine, training_image.id, "train", folder=job.base, options=options) as container:
        ended = container.wait(240)
    assert ended.code == 0, ended.errors
    assert job.base.stat().st_uid == 0
    left = {path.name: path.stat().st_uid for path in (job.base / "model").iterdir()}
    assert {"model.onnx", "spec.json", "baseline.json", "manifest.json"} <= set(left)
    assert set(left.values()) == {10001}
    assert set(job.manifest()["files"]) >= {"model.onnx", "spec.json", "baseline.json"}
    assert not (job.base / "output/failure").exists()


def test_sigterm_leaves_a_checkpoint_within_the_120_seconds(
    engine: Engine, training_image: BuiltImage, packages: tuple[str, ...], job: Job
) -> None:
    job.configure(**LONG)
    with running(engine, training_image.id, "train", folder=job.base, options=packages) as container:
        container.wait_for(job.base / "checkpoints", "epoch-*.safetensors")
        begun = time.monotonic()
        container.signal("TERM")
        ended = container.wait(120)
    assert time.monotonic() - begun < 120
    assert ended.code == 143, ended.errors
    assert "checkpoint written" in ended.output
    assert not (job.base / "model/manifest.json").exists()
    assert not (job.base / "output/failure").exists()


def test_a_failure_is_written_and_is_an_exit_status(
    engine: Engine, training_image: BuiltImage, packages: tuple[str, ...], job: Job
) -> None:
    job.configure(widht="64")
    with running(engine, training_image.id, "train", folder=job.base, options=packages) as container:
        ended = container.wait(240)
    assert ended.code == 1
    assert job.failure().startswith("unknown hyperparameter 'widht'; known are ")
    assert f"error: {job.failure()}" in ended.errors
    assert "Traceback" not in ended.errors


def test_what_may_be_read_but_not_written_is_one_line(
    engine: Engine, training_image: BuiltImage, packages: tuple[str, ...], job: Job
) -> None:
    for folder, _, _ in os.walk(job.base):
        Path(folder).chmod(0o755)
    with running(engine, training_image.id, "train", folder=job.base, options=packages) as container:
        ended = container.wait(240)
    assert ended.code == 1
    assert ended.errors.splitlines()[-1].startswith("error: /opt/ml/")
    assert "cannot be made by user 10001: Permission denied" in ended.errors
    assert "Traceback" not in ended.errors


def test_the_lock_is_what_is_installed(
    engine: Engine, training_image: BuiltImage, packages: tuple[str, ...], job: Job
) -> None:
    words = (
        "import torch, onnxruntime, importlib.util as u",
        "print(torch.__version__.split('+')[0], u.find_spec('pip'))",
    )
    options = (*packages, "--entrypoint", json.dumps(["python", "-c", "; ".join(words)]))
    with running(engine, training_image.id, folder=job.base, options=options) as container:
        ended = container.wait(240)
    lock = (Path(__file__).resolve().parents[2] / "requirements/training.lock").read_text()
    version = ended.output.split()[0]
    assert f"torch=={version} " in lock
    assert ended.output.split()[1] == "None"
