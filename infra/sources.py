"""What an image is made of: its files, the tag that names their content, and the commit that last changed them."""

import hashlib
import subprocess
from pathlib import Path

from infra.names import Image
from models.spec import SPEC_FILE

_FOLDERS: dict[Image, tuple[str, ...]] = {
    "training": ("models", "monitoring", "training"),
    "serving": ("models", "monitoring", "serving"),
}
_IGNORED = {"__pycache__"}
_LEFT_OUT = (Path("monitoring") / "grafana", Path("monitoring") / "prometheus")
"""What watches the containers from outside: `.dockerignore` keeps it out of the images; it changes no tag."""
_INSTALLER_LOCK = Path("requirements") / "installer.lock"
_DOCKERIGNORE = Path(".dockerignore")
_LAKE_LOCK = Path("requirements") / "lake.lock"


def project_directory() -> Path:
    """The folder of this checkout, where `Pulumi.yaml` lies."""
    return Path(__file__).resolve().parent.parent


def image_files(project_dir: Path, image: Image, table: str | None = None) -> list[Path]:
    """What the image is built from: its packages with their Dockerfile, and so the base that it names, and the locks.

    Paths relative to `project_dir`, sorted. With `table`, what the model of that folder uses of them: all but the
    folders of the other models.
    """
    files = [path for folder in _FOLDERS[image] for path in package_files(project_dir, folder, table)]
    kept = [path for path in files if not any(path.is_relative_to(folder) for folder in _LEFT_OUT)]
    settings = [_DOCKERIGNORE] if (project_dir / _DOCKERIGNORE).is_file() else []
    return sorted([*settings, *kept, _INSTALLER_LOCK, Path("requirements") / f"{image}.lock"])


def package_files(project_dir: Path, package: str, table: str | None = None) -> list[Path]:
    """The files of one top-level package, sorted, relative to `project_dir`; with `table`, no other model's folder."""
    top = project_dir / package
    if not top.is_dir():
        return []
    return sorted(
        path.relative_to(project_dir)
        for entry in top.iterdir()
        if not (table and entry.name != table and (entry / SPEC_FILE).is_file())
        for path in (entry.rglob("*") if entry.is_dir() else [entry])
        if path.is_file() and not _IGNORED.intersection(path.parts)
    )


def content_digest(project_dir: Path, files: list[Path]) -> str:
    """sha256 over the names and contents of `files`, hex: equal for equal sources, wherever they lie."""
    digest = hashlib.sha256()
    for file in sorted(files):
        content = (project_dir / file).read_bytes()
        digest.update(f"{file.as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def content_tag(project_dir: Path, image: Image, table: str | None = None) -> str:
    """The immutable ECR tag of the image built from the present sources.

    With `table`, the tag under which the model of that folder looks for it: it stays the same while another model
    changes, so that one model's change is no change of the others'. With one model the two are equal.
    """
    return f"src-{content_digest(project_dir, image_files(project_dir, image, table))[:16]}"


def content_tags(project_dir: Path, image: Image) -> list[str]:
    """Every tag that the image of the present sources is pushed under: its own, and each model's."""
    models = sorted(path.parent.name for path in (project_dir / "models").glob(f"*/{SPEC_FILE}"))
    return sorted({content_tag(project_dir, image, table) for table in (None, *models)})


def wheels_key(project_dir: Path) -> str:
    """Where CD puts the wheels of `requirements/lake.lock`, for a job in a VPC without internet; named by the lock."""
    digest = hashlib.sha256((project_dir / _LAKE_LOCK).read_bytes()).hexdigest()
    return f"glue/wheels/{digest[:16]}.gluewheels.zip"


def git_commit(project_dir: Path, image: Image) -> str:
    """The commit that last changed the image's sources, `-dirty` where they are changed since, `unknown` without git.

    It follows the content, as the tag does: a commit elsewhere makes no new image.
    """
    built_from = [*_FOLDERS[image], str(_DOCKERIGNORE), str(_INSTALLER_LOCK), f"requirements/{image}.lock"]
    paths = [*built_from, *(f":(exclude){folder.as_posix()}" for folder in _LEFT_OUT)]
    commit = _git(project_dir, "log", "-1", "--format=%H", "--", *paths)
    if not commit:
        return "unknown"
    changed = _git(project_dir, "status", "--porcelain", "--", *paths)
    return f"{commit}-dirty" if changed else commit


def _git(project_dir: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=project_dir, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
