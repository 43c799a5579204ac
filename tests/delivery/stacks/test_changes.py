"""What git says has changed."""

import shutil
import subprocess
from pathlib import Path

import pytest

from delivery.stacks.changes import GitError, changed_paths, environments
from infra.sources import project_directory


@pytest.fixture
def git(tmp_path: Path) -> Path:
    """A repository with two commits: a release is added, a file renamed."""

    def run(*arguments: str) -> None:
        identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, capture_output=True, check=True)

    shutil.copy(project_directory() / "Pulumi.dev.yaml", tmp_path)
    (tmp_path / "old näme.py").write_text("ANSWER = 42\n")
    run("init", "--quiet")
    run("add", ".")
    run("commit", "--quiet", "-m", "one")
    (tmp_path / "releases").mkdir()
    (tmp_path / "releases" / "dev.toml").write_text("[models.bikes]\n")
    (tmp_path / "old näme.py").rename(tmp_path / "new.py")
    run("add", "--all", ".")
    run("commit", "--quiet", "-m", "two")
    return tmp_path


def test_changes_since_a_commit_name_both_ends_of_a_rename(git: Path) -> None:
    assert changed_paths(git, "HEAD~1") == ["new.py", "old näme.py", "releases/dev.toml"]
    assert changed_paths(git, "HEAD") == []
    (dev,) = environments(git, "HEAD~1")
    assert (dev.name, dev.releases_before, dev.releases_after) == ("dev", "", "[models.bikes]\n")


def test_a_commit_that_is_not_there_is_told(git: Path) -> None:
    for since in ("0123456789abcdef0123456789abcdef01234567", "--output=file"):
        with pytest.raises(GitError, match="no such commit in this clone"):
            changed_paths(git, since)
