"""The code that is uploaded for Glue: the same bytes for the same sources, and importable from the zip."""

import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from infra.components.glue_code import packages_zip
from infra.sources import wheels_key


def sources(folder: Path, text: str = "ANSWER = 42\n") -> Path:
    for package in ("lake", "models"):
        (folder / package).mkdir(parents=True)
        (folder / package / "__init__.py").write_text("")
    (folder / "lake" / "part.py").write_text(text)
    (folder / "lake" / "__pycache__").mkdir()
    (folder / "lake" / "__pycache__" / "part.pyc").write_bytes(b"\0")
    (folder / "requirements").mkdir()
    (folder / "requirements" / "lake.lock").write_text("boto3==1\n")
    return folder


def test_equal_sources_give_equal_bytes_wherever_they_lie(tmp_path: Path) -> None:
    one, other = sources(tmp_path / "one"), sources(tmp_path / "other")
    assert packages_zip(one, "cars") == packages_zip(other, "cars")
    assert wheels_key(one) == wheels_key(other)


def test_a_change_changes_the_bytes(tmp_path: Path) -> None:
    one, other = sources(tmp_path / "one"), sources(tmp_path / "other", text="ANSWER = 43\n")
    assert packages_zip(one, "cars") != packages_zip(other, "cars")


def test_only_sources_are_in_the_zip(tmp_path: Path) -> None:
    archive = zipfile.ZipFile(BytesIO(packages_zip(sources(tmp_path / "one"), "cars")))
    assert archive.namelist() == ["lake/__init__.py", "lake/part.py", "models/__init__.py"]


def test_the_zip_holds_one_model(tmp_path: Path) -> None:
    """Another model's change is no change of this one's jobs."""
    project = sources(tmp_path / "one")
    alone = packages_zip(project, "cars")
    for table in ("cars", "bikes"):
        (project / "models" / table).mkdir()
        (project / "models" / table / "model.toml").write_text("")
    names = zipfile.ZipFile(BytesIO(packages_zip(project, "cars"))).namelist()
    assert "models/cars/model.toml" in names
    assert "models/bikes/model.toml" not in names
    assert packages_zip(project, "cars") != alone


@pytest.mark.slow
def test_the_jobs_find_the_models_in_the_zip(tmp_path: Path, project_dir: Path) -> None:
    """As on Glue: the packages come from the zip alone, a model's folder with them."""
    archive = tmp_path / "packages.zip"
    archive.write_bytes(packages_zip(project_dir, "auto_mpg"))
    program = "from importlib.resources import files; from models.spec import find_spec; import lake.jobs.arguments; "
    program += "print(find_spec(files('models'), 'auto-mpg').table, lake.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(archive)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["auto_mpg", str(archive / "lake" / "__init__.py")]
