"""Both images can be built with what images.yml and check.yml give: each FROM names a base, pinned by digest."""

import re
import subprocess
from pathlib import Path

import pytest

from infra.names import IMAGES
from tests.e2e.checkout import ROOT
from tests.workflows import rehearsed_yaml
from tests.workflows.standins.dockerfile import bases

PINNED = re.compile(r"docker\.io/library/python:3\.11-slim-bookworm@sha256:[0-9a-f]{64}")


def given() -> dict[str, str]:
    """The build arguments of the workflow."""
    steps = rehearsed_yaml.steps(rehearsed_yaml.load(ROOT / ".github" / "workflows" / "images.yml"))
    (told,) = [step["with"]["build-args"] for step in steps if "build-args" in step.get("with", {})]
    return {line.partition("=")[0]: "x" for line in told.splitlines()}


def text(image: str) -> str:
    return (ROOT / image / "Dockerfile").read_text(encoding="utf-8")


@pytest.mark.parametrize("image", IMAGES)
def test_what_the_workflow_gives_is_enough_and_the_base_is_pinned(image: str) -> None:
    outside = [base for base in bases(text(image), given()) if "/" in base]
    assert outside
    assert [base for base in outside if not PINNED.fullmatch(base)] == []


def test_both_images_have_one_base() -> None:
    assert len({base for image in IMAGES for base in bases(text(image), {}) if "/" in base}) == 1


def test_a_base_that_nothing_names_is_refused() -> None:
    with pytest.raises(ValueError, match=r"base name \(\$\{BASE\}\) should not be blank"):
        bases("ARG BASE\nFROM ${BASE} AS a\n", {"GIT_COMMIT": "abc"})
    assert bases("ARG BASE\nFROM --platform=linux/amd64 ${BASE} AS a\n", {"BASE": "b"}) == ["b"]
    assert bases("ARG BASE=c\nFROM $BASE\nFROM scratch\n", {}) == ["c", "scratch"]


def test_an_argument_of_a_stage_names_no_base() -> None:
    with pytest.raises(ValueError, match="should not be blank"):
        bases("FROM scratch\nARG BASE=c\nFROM $BASE\n", {})


@pytest.mark.slow
def test_a_pull_request_tests_containers_as_root_on_that_base(tmp_path: Path) -> None:
    """The step is run with a `sudo` that says how it was called: GitHub's user is not root, and no Debian is there."""
    steps = rehearsed_yaml.steps(rehearsed_yaml.load(ROOT / ".github" / "workflows" / "check.yml"))
    (script,) = [step["run"] for step in steps if step.get("if") == "matrix.target == 'test'"]
    (tmp_path / "sudo").write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
    (tmp_path / "sudo").chmod(0o755)
    path = f"{tmp_path}:/usr/bin:/bin"
    command = ["bash", "-e", "-u", "-o", "pipefail", "-c", script]
    done = subprocess.run(command, cwd=ROOT, env={"PATH": path}, capture_output=True, text=True, check=True)
    words = done.stdout.splitlines()
    assert words[-2:] == ["make", "test"]
    assert f"PATH={path}" in words
    (base,) = [word.partition("=")[2] for word in words if word.startswith("DRIVETRAIN_BASE_IMAGE=")]
    assert PINNED.fullmatch(base)
