"""actionlint (with shellcheck) and zizmor, pedantic, find nothing in the workflows."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.checkout import ROOT
from tests.workflows import act

pytestmark = pytest.mark.slow
BINARIES = Path(sys.executable).parent


def test_actionlint_finds_nothing() -> None:
    actionlint = act.tool("actionlint")
    if actionlint is None:
        pytest.skip("no actionlint; get it with: tests/install_packages")
    environment = {**os.environ, "PATH": f"{BINARIES}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run([actionlint], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_actionlint_asks_shellcheck() -> None:
    """It would say nothing without: so a script that shellcheck objects to has to be found."""
    actionlint = act.tool("actionlint")
    if actionlint is None:
        pytest.skip("no actionlint; get it with: tests/install_packages")
    workflow = "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: rm $NAME\n"
    command = [actionlint, "-shellcheck", str(BINARIES / "shellcheck"), "-"]
    done = subprocess.run(command, cwd=ROOT, input=workflow, capture_output=True, text=True, check=False)
    assert "SC2086" in done.stdout


def test_zizmor_finds_nothing_in_its_pedantic_persona() -> None:
    command = [BINARIES / "zizmor", "--persona=pedantic", "--offline", "--no-progress", "--quiet", ".github"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_audit_but_one_is_on() -> None:
    """An audit is switched off for all files, with its reason, or not at all."""
    lines = (ROOT / ".github" / "zizmor.yml").read_text().splitlines()
    assert [line.strip() for line in lines if line.startswith("  ") and "#" not in line] == [
        "self-repository:",
        "disable: true",
    ]
    assert [file for file in (ROOT / ".github").rglob("*.yml") if "zizmor: ignore" in file.read_text()] == []


def test_the_scripts_of_the_repository_pass_shellcheck() -> None:
    scripts = ["tests/install_packages", ".ci/run"]
    done = subprocess.run([BINARIES / "shellcheck", *scripts], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
