"""What an image is made of, and the tag that names it."""

import shutil
import subprocess
from pathlib import Path

import pytest

from infra.names import IMAGES, Image
from infra.sources import content_tag, content_tags, git_commit, image_files, project_directory


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for folder in ("models", "monitoring", "training", "serving", "requirements"):
        shutil.copytree(project_directory() / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(project_directory() / ".dockerignore", tmp_path)
    return tmp_path


def test_an_image_holds_its_packages_and_its_lock() -> None:
    files = image_files(project_directory(), "serving")
    assert Path("requirements/serving.lock") in files
    assert Path("models/auto_mpg/model.toml") in files
    assert Path("serving/Dockerfile") in files
    assert {path.parts[0] for path in files} == {".dockerignore", "models", "monitoring", "serving", "requirements"}
    assert not [path for path in files if "__pycache__" in path.parts]


def test_equal_sources_have_equal_tags_wherever_they_lie(project: Path) -> None:
    assert content_tag(project, "training") == content_tag(project_directory(), "training")


def test_a_change_makes_a_new_tag_for_the_image_it_is_in(project: Path) -> None:
    before = content_tag(project, "training"), content_tag(project, "serving")
    (project / "training" / "new.py").write_text("")
    assert content_tag(project, "training") != before[0]
    assert content_tag(project, "serving") == before[1]


@pytest.mark.parametrize("file", ["requirements/installer.lock", ".dockerignore", "serving/Dockerfile"])
def test_what_the_image_is_built_with_is_in_its_tag(project: Path, file: str) -> None:
    before = content_tag(project, "serving")
    with (project / file).open("a") as opened:
        opened.write("# another\n")
    assert content_tag(project, "serving") != before


@pytest.mark.parametrize("image", IMAGES)
@pytest.mark.parametrize("folder", ["monitoring/grafana", "monitoring/prometheus"])
def test_a_changed_alert_or_dashboard_is_in_no_image(project: Path, image: Image, folder: str) -> None:
    before = content_tag(project, image)
    files = [path for path in (project / folder).iterdir() if path.is_file()]
    assert files
    for file in files:
        file.write_text("another\n")
    assert content_tag(project, image) == before
    assert folder in (project / ".dockerignore").read_text().splitlines()


def test_a_model_has_a_tag_that_another_models_change_leaves_alone(project: Path) -> None:
    alone = content_tag(project, "training", "auto_mpg")
    assert [alone] == content_tags(project, "training") == [content_tag(project, "training")]
    (project / "models" / "bikes").mkdir()
    (project / "models" / "bikes" / "model.toml").write_text("")
    assert content_tag(project, "training", "auto_mpg") == alone
    whole, other = content_tag(project, "training"), content_tag(project, "training", "bikes")
    assert sorted({alone, whole, other}) == content_tags(project, "training")
    assert len(content_tags(project, "training")) == 3
    (project / "models" / "auto_mpg" / "network.py").write_text("")
    assert content_tag(project, "training", "auto_mpg") != alone
    assert content_tag(project, "training", "bikes") == other


def test_the_commit_is_the_last_that_changed_the_image(project: Path) -> None:
    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
        done = subprocess.run(["git", *identity, *arguments], cwd=project, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    assert git_commit(project, "serving") == "unknown"
    git("init")
    git("add", ".")
    git("commit", "-m", "first")
    first = git("rev-parse", "HEAD")
    (project / "training" / "new.py").write_text("")
    assert git_commit(project, "serving") == first
    assert git_commit(project, "training") == f"{first}-dirty"
    git("add", ".")
    git("commit", "-m", "second")
    assert git_commit(project, "serving") == first
    second = git("rev-parse", "HEAD")
    assert git_commit(project, "training") == second
    (project / "monitoring" / "prometheus" / "serving.rules.yml").write_text("")
    assert git_commit(project, "training") == second
    (project / "requirements" / "installer.lock").write_text("")
    assert git_commit(project, "serving") == f"{first}-dirty"
