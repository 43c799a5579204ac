import math
from pathlib import Path
from typing import Any

import pytest

from training.container import FAILURE_CHARACTERS, Container, cpu_quota
from training.errors import JobError


def test_the_base_folder_moves(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SAGEMAKER_BASE_DIR", raising=False)
    assert Container.current().base == Path("/opt/ml")
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    assert Container.current().base == tmp_path


def test_a_failure_is_one_line_of_limited_length(job: Any) -> None:
    job.container().fail("first\nsecond " + "x" * 5000)
    for name in ("failure", "message"):
        text = (job.base / "output" / name).read_text()
        assert text.startswith("first second x")
        assert len(text) == FAILURE_CHARACTERS


def test_a_missing_channel_is_named_with_those_there_are(job: Any) -> None:
    with pytest.raises(JobError, match="channel 'validation' is missing; there are: dataset"):
        job.container().channel("validation")
    with pytest.raises(JobError, match="processing input 'model' is missing; there are: none"):
        job.container().processing_input("model")


def test_an_optional_input_may_be_absent_or_empty(job: Any) -> None:
    folder = job.base / "processing/input/released"
    assert job.container().optional_processing_input("released") is None
    folder.mkdir(parents=True)
    assert job.container().optional_processing_input("released") is None
    (folder / "model.tar.gz").touch()
    assert job.container().optional_processing_input("released") == folder


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "input/config/hyperparameters.json: no such file"),
        ("{", "input/config/hyperparameters.json: no valid JSON"),
        ("[1]", "input/config/hyperparameters.json: must be a JSON object, found list"),
    ],
)
def test_configuration_that_cannot_be_read_is_named(job: Any, text: str | None, message: str) -> None:
    path = job.base / "input/config/hyperparameters.json"
    if text is None:
        path.unlink()
    else:
        path.write_text(text)
    with pytest.raises(JobError, match=message):
        job.container().hyperparameters()


@pytest.mark.parametrize(
    ("files", "processors"),
    [
        ({"cpu.max": "150000 100000"}, 1.5),
        ({"cpu.max": "max 100000"}, math.inf),
        ({"cpu/cpu.cfs_quota_us": "50000", "cpu/cpu.cfs_period_us": "100000"}, 0.5),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, math.inf),
        ({}, math.inf),
    ],
)
def test_the_processors_of_a_control_group(tmp_path: Path, files: dict[str, str], processors: float) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content + "\n")
    assert cpu_quota(tmp_path) == processors
