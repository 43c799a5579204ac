"""podman with the project's own storage, and both images of the present sources: built once a machine, then found."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rehearsal.containers import training_packages
from rehearsal.containers.build import BuiltImage, build
from rehearsal.containers.engine import Engine, default_folder, open_engine
from rehearsal.containers.orphans import remove_orphans
from tests.installed import need_programs
from tests.serving.conftest import write_artefact

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def engine() -> Engine:
    """Without what tests that were killed outright have left in it."""
    need_programs("podman", "runc", "conmon", "mmdebstrap")
    opened = open_engine(default_folder(ROOT))
    remove_orphans(opened)
    return opened


@pytest.fixture(scope="session")
def serving_image(engine: Engine) -> BuiltImage:
    return build(engine, ROOT, "serving")


@pytest.fixture(scope="session")
def training_image(engine: Engine) -> BuiltImage:
    return build(engine, ROOT, "training")


@pytest.fixture(scope="session")
def packages(engine: Engine, training_image: BuiltImage) -> tuple[str, ...]:
    """What mounts the packages that the training image wants."""
    labels = engine.inspect(training_image.id)["Labels"]
    return tuple(training_packages.mount_options(engine, labels[training_packages.LABEL]))


@pytest.fixture(scope="session")
def model_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base folder as SageMaker mounts it for an endpoint: root's, readable by everybody, written by nobody else."""
    base = tmp_path_factory.mktemp("ml")
    write_artefact(base / "model")
    for path in (base, *base.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return base


def drivetrain(folder: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """The command line of a copy of the checkout, over this checkout's images."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    known = {"PYTHONPATH": str(folder), "DRIVETRAIN_CONTAINERS": str(default_folder(ROOT))}
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        cwd=folder,
        env={**kept, **known, **environment},
        capture_output=True,
        text=True,
        timeout=800,
        check=False,
    )
