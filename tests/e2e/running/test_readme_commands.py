"""Every `drivetrain` command that the README shows does what it says, in the order shown, in the shell of a reader."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.checkout import ROOT, Checkout

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
README = (ROOT / "README.md").read_text()
# Run by the fixture that brings the rehearsal up and down, or setting up what the fixture set up.
ELSEWHERE = ("make ", ". .venv/", "drivetrain local down")


def commands() -> list[str]:
    blocks = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    lines = [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]
    return [line for line in lines if not line.startswith(ELSEWHERE)]


@pytest.fixture(scope="session")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH on which `drivetrain` and `python` are those of the copy."""
    folder: Path = tmp_path_factory.mktemp("bin")
    for name, arguments in (("drivetrain", "-m cli "), ("python", "")):
        script = folder / name
        script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {arguments}"$@"\n')
        script.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def test_the_readme_shows_commands() -> None:
    assert len(commands()) >= 5


@pytest.mark.parametrize("command", commands())
def test_a_command_of_the_readme_works(checkout: Checkout, path: str, command: str) -> None:
    done = subprocess.run(
        ["bash", "-euc", command],
        cwd=checkout.path,
        env={**checkout.environment(), "PATH": path},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip()
