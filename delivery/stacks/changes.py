"""What changed in git since a commit: the paths, and the releases of each environment before and after."""

import subprocess
from pathlib import Path

from delivery.stacks.affected import Environment
from infra.settings import load_settings


class GitError(Exception):
    """Git cannot say what changed; the message is git's own, and what to do."""


def changed_paths(project_dir: Path, since: str) -> list[str]:
    """The paths that differ between `since` and the checkout's HEAD, both names of what was renamed."""
    text = _git(project_dir, "diff", "--name-only", "--no-renames", "-z", f"{commit_of(project_dir, since)}..HEAD")
    return [path for path in text.split("\0") if path]


def environments(project_dir: Path, since: str, only: str | None = None) -> list[Environment]:
    """Every environment that has a settings file, or `only` that one; SettingsError for a file that is not right."""
    names = [only] if only else sorted(path.name.split(".")[1] for path in project_dir.glob("Pulumi.*.yaml"))
    commit = commit_of(project_dir, since)
    return [_environment(project_dir, name, commit) for name in names]


def commit_of(project_dir: Path, since: str) -> str:
    """The commit that `since` names; GitError when it is none or not in this clone."""
    try:
        return _git(project_dir, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{since}^{{commit}}").strip()
    except GitError as error:
        raise GitError(
            f"--since {since}: no such commit in this clone; a shallow clone is deepened with: git fetch --unshallow"
        ) from error


def _environment(project_dir: Path, name: str, commit: str) -> Environment:
    settings = load_settings(project_dir, name)
    path = f"{settings.releases}/{name}.toml"
    return Environment(
        settings=settings,
        releases_before=_content(project_dir, commit, path),
        releases_after=_content(project_dir, "HEAD", path),
    )


def _content(project_dir: Path, commit: str, path: str) -> str:
    listed = _git(project_dir, "ls-tree", "--name-only", commit, "--", path)
    return _git(project_dir, "show", f"{commit}:{path}") if listed.strip() else ""


def _git(project_dir: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=project_dir, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise GitError("git is not on PATH; it is what tells the changes of a commit") from error
    if done.returncode:
        raise GitError(f"git {arguments[0]}: {done.stderr.strip() or 'failed'}")
    return done.stdout
