"""The training image's packages on this machine: 6 GB, most of it CUDA, linked from uv's cache instead of copied.

Copied into a layer they took four minutes of writing here. So the rehearsed training image has an empty environment,
over which this folder is mounted, read-only: the same files, by the same lock and hashes. `--whole` builds the image as
the workflows do.
"""

import hashlib
import shutil
from pathlib import Path
from typing import Final

from rehearsal.containers.engine import Engine
from rehearsal.containers.package_sources import run_uv

ENVIRONMENT: Final = "/opt/drivetrain"
LABEL: Final = "drivetrain.packages"
"""On an image that wants its packages mounted: the folder's name, a colon, and where it belongs in the container."""


def prepare(engine: Engine, project_dir: Path, python: str) -> str:
    """Make the folder of the locked packages for that Python (`3.11`); returns the label. ContainerError by uv."""
    lock = project_dir / "requirements" / "training.lock"
    key = hashlib.sha256(f"{python}\n".encode() + lock.read_bytes()).hexdigest()[:16]
    if not _folder(engine, key).is_dir():
        _install(lock, _folder(engine, key), python)
    return f"{key}:{ENVIRONMENT}/lib/python{python}/site-packages"


def mount_options(engine: Engine, label: str | None) -> list[str]:
    """Options of `podman run` and `podman build` for an image with that label; none for an image without."""
    if not label:
        return []
    key, _, place = label.partition(":")
    return ["--volume", f"{_folder(engine, key)}:{place}:ro"]


def _folder(engine: Engine, key: str) -> Path:
    return engine.folder / "training-packages" / key


def _install(lock: Path, folder: Path, python: str) -> None:
    half = folder.with_name(f"{folder.name}.half")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    run_uv(
        "pip",
        "install",
        "--quiet",
        "--no-config",
        *("--python-version", python, "--python-platform", "linux"),
        *("--require-hashes", "--only-binary", ":all:", "--link-mode", "hardlink", "--no-compile-bytecode"),
        *("--target", str(half), "--requirement", str(lock)),
    )
    half.rename(folder)
