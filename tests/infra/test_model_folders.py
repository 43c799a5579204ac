"""What is wrong with a model's folder is found before anything is deployed."""

import shutil
from pathlib import Path

import pytest

from infra.model_folders import checked_models
from models.spec import SpecError


@pytest.fixture
def project(tmp_path: Path) -> Path:
    # Another test's process may be writing the compiled ones.
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path("models") / "auto_mpg", tmp_path / "models" / "auto_mpg", ignore=ignored)
    return tmp_path


def test_the_models_of_the_repository_are_right() -> None:
    assert "auto-mpg" in [spec.name for spec in checked_models(Path())]


def test_a_machine_that_does_not_exist_is_named(project: Path) -> None:
    file = project / "models" / "auto_mpg" / "model.toml"
    file.write_text(file.read_text().replace("ml.m5.large", "ml.m5.lrage", 1))
    with pytest.raises(SpecError, match=r"models/auto_mpg/model\.toml: training\.instance_type: .*'ml\.m5\.lrage'"):
        checked_models(project)


def test_a_folder_without_network_is_named(project: Path) -> None:
    (project / "models" / "auto_mpg" / "network.py").unlink()
    with pytest.raises(SpecError, match=r"models/auto_mpg/network\.py: no such file; it holds the network of auto-mpg"):
        checked_models(project)
