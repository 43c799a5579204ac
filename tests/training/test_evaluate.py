import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models.spec import ModelSpec
from tests.training.conftest import Job
from training.errors import JobError
from training.evaluate import evaluate
from training.train import train

pytestmark = pytest.mark.slow  # each makes an AWS or a model of its own


def pack(folder: Path, archive: Path) -> Path:
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "w:gz") as tar:
        for file in sorted(folder.iterdir()):
            tar.add(file, file.name)
    return archive


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, spec: ModelSpec) -> Path:
    """The model folder of a training that has ended; not to be changed."""
    job = Job(tmp_path_factory.mktemp("trained"), spec)
    job.export()
    train(job.configure(epochs="300").container())
    return job.base / "model"


@pytest.fixture
def judged(job: Any, trained: Path) -> Any:
    """A trained model lying where an evaluation job finds it."""
    job.configure(epochs="300")
    shutil.copytree(trained, job.base / "model")
    pack(job.base / "model", job.base / "processing/input/model/model.tar.gz")
    job.export(job.base / "processing/input/dataset")
    return job


def run(job: Any, **environment: str) -> dict[str, Any]:
    evaluate(job.container(**{"MODEL": "auto-mpg", "SNAPSHOT_ID": "4242", **environment}))
    return json.loads((job.base / "processing/output/evaluation.json").read_text())


def test_what_an_evaluation_says_and_draws(judged: Any) -> None:
    result = run(judged)
    assert result["metrics"]["mae"] < result["baseline"]["mae"]
    assert result["released"] is None
    assert result["passed"] is True
    assert result["reasons"] == "every gate passed"
    assert result["git_commit"] == "c0ffee"
    origins = [part for part in result["slices"] if part["column"] == "origin"]
    assert [part["value"] for part in origins] == ["Europe", "Japan", "USA"]
    assert sum(part["rows"] for part in origins) == result["rows"]
    decades = [part["value"] for part in result["slices"] if part["column"] == "model_year"]
    assert decades == ["1970 to 1980", "1980 to 1990"]
    output = judged.base / "processing/output"
    pictures = sorted(output.glob("*.png"))
    assert len(pictures) == 3
    assert all(picture.read_bytes().startswith(b"\x89PNG") for picture in pictures)
    card = (output / "model_card.md").read_text()
    assert "| mae | maximum | 2.2 |" in card
    assert all(picture.name in card for picture in pictures)
    assert "| fp32, served |" in card
    assert "| int8 |" in card


def test_the_released_model_is_compared_on_the_same_rows(judged: Any) -> None:
    released = judged.base / "processing/input/released/model.tar.gz"
    released.parent.mkdir(parents=True)
    shutil.copy(judged.base / "processing/input/model/model.tar.gz", released)
    result = run(judged)
    assert result["released"] == result["metrics"]
    (against,) = [gate for gate in result["gates"] if gate["rule"] == "better_than_released_by"]
    assert against["value"] == 0
    assert against["passed"] is True


def test_a_failed_gate_is_a_result(make_job: Callable[[str], Any]) -> None:
    job = make_job("poor")
    job.export()
    train(job.configure(epochs="1").container())
    pack(job.base / "model", job.base / "processing/input/model/model.tar.gz")
    job.export(job.base / "processing/input/dataset")
    result = run(job)
    assert result["passed"] is False
    assert result["reasons"].startswith("mae maximum 2.2: failed with ")


def damage(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(b"something else")


def remove(folder: Path) -> None:
    (folder / "model.onnx").unlink()


def forget(folder: Path) -> None:
    (folder / "manifest.json").unlink()


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (damage, "model.onnx: sha256 is .* the manifest says"),
        (remove, "model.onnx: missing from the artefact"),
        (forget, "manifest.json: no such file in the artefact"),
    ],
)
def test_a_damaged_artefact_is_refused(judged: Any, harm: Callable[[Path], None], message: str) -> None:
    harm(judged.base / "model")
    pack(judged.base / "model", judged.base / "processing/input/model/model.tar.gz")
    with pytest.raises(JobError, match=message):
        run(judged)


def test_an_archive_that_reaches_outside_is_refused(judged: Any, tmp_path: Path) -> None:
    archive = judged.base / "processing/input/model/model.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(judged.base / "model/spec.json", "../../escaped.json")
    with pytest.raises(JobError, match=r"model.tar.gz: no readable artefact"):
        run(judged)
    assert not list(tmp_path.rglob("escaped.json"))


def test_what_is_missing_or_mixed_up_is_named(judged: Any) -> None:
    with pytest.raises(JobError, match="environment variable MODEL is not set"):
        run(judged, MODEL="")
    with pytest.raises(JobError, match="snapshot_id is '4242', the job was started for '1'"):
        run(judged, SNAPSHOT_ID="1")
    judged.export(judged.base / "processing/input/dataset", snapshot_id="1")
    with pytest.raises(JobError, match="was trained on snapshot 4242"):
        run(judged, SNAPSHOT_ID="1")
    shutil.rmtree(judged.base / "processing/input/model")
    with pytest.raises(JobError, match="processing input 'model' is missing; there are: dataset"):
        run(judged, SNAPSHOT_ID="1")
