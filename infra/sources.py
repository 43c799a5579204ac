"""What an image is made of: its files, the tag that names their content, and the commit that last changed them."""

import hashlib
import subprocess
from pathlib import Path

from infra.names import Image

_FOLDERS: dict[Image, tuple[str, ...]] = {
    "training": ("models", "monitoring", "training"),
    "serving": ("models", "monitoring", "serving"),
}
_IGNORED = {"__pycache__"}


def project_directory() -> Path:
    """The folder of this checkout, where `Pulumi.yaml` lies."""
    return Path(__file__).resolve().parent.parent


def image_files(project_dir: Path, image: Image) -> list[Path]:
    """The image's packages and the lock of its dependencies: paths relative to `project_dir`, sorted."""
    files = [path for folder in _FOLDERS[image] for path in package_files(project_dir, folder)]
    return sorted([*files, Path("requirements") / f"{image}.lock"])


def package_files(project_dir: Path, package: str) -> list[Path]:
    """The files of one top-level package, sorted, relative to `project_dir`."""
    return sorted(
        path.relative_to(project_dir)
        for path in (project_dir / package).rglob("*")
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


def content_tag(project_dir: Path, image: Image) -> str:
    """The immutable ECR tag of the image built from the present sources."""
    return f"src-{content_digest(project_dir, image_files(project_dir, image))[:16]}"


def git_commit(project_dir: Path, image: Image) -> str:
    """The commit that last changed the image's sources, `-dirty` where they are changed since, `unknown` without git.

    It follows the content, as the tag does: a commit elsewhere makes no new image.
    """
    paths = [*_FOLDERS[image], f"requirements/{image}.lock"]
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
