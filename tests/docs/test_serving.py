"""`docs/serving.md`: its commands are run one after another in one shell, and print what the page says."""

import os
import re
import socket
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from infra.sources import project_directory
from serving.container import FRONTS
from serving.observe.levels import ACCESS_LOGS, LEVELS
from tests.serving.conftest import write_artefact

pytestmark = [pytest.mark.slow, pytest.mark.timeout(280)]
PAGE = project_directory() / "docs" / "serving.md"


def listed() -> list[tuple[str, str]]:
    """Each command of the page with what is shown below it."""
    text = "".join(re.findall(r"```console\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL))
    found = re.findall(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", text, re.MULTILINE)
    assert len(found) == len(re.findall(r"^\$ ", text, re.MULTILINE)) > 0
    return found


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def without_numbers(text: str) -> str:
    return re.sub(r"\b[0-9a-f]{16,}\b|\d+(\.\d+)?", "#", text).strip()


def test_every_command_prints_what_the_page_says(tmp_path: Path) -> None:
    folder = write_artefact(tmp_path / "artefact")
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as archive:
        for file in sorted(folder.iterdir()):
            archive.add(file, file.name)
    port, commands = free_port(), listed()
    steps = (f"printf '\\n=== {number}\\n'\n{command}" for number, (command, _) in enumerate(commands))
    script = "\n".join(["set -e", "trap 'kill $(jobs -p) 2> /dev/null || true' EXIT", *steps])
    bin_folder = str(Path(sys.executable).parent)
    done = subprocess.run(
        ["bash", "-c", script.replace(":8080", f":{port}")],
        cwd=tmp_path,
        env={
            **os.environ,
            "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(project_directory()),
            "SAGEMAKER_BIND_TO_PORT": str(port),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=250,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    printed = re.split(r"^=== \d+\n", done.stdout, flags=re.MULTILINE)[1:]
    assert len(printed) == len(commands)
    for (command, shown), found in zip(commands, printed, strict=True):
        assert without_numbers(found) == without_numbers(shown), command


def test_every_variable_that_is_read_is_in_the_table() -> None:
    told = set(re.findall(r"^\| `([A-Z0-9_]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    source = (project_directory() / "serving" / "container.py").read_text(encoding="utf-8")
    read = set(re.findall(r'"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|RELEASE)"', source))
    assert read == told


@pytest.mark.parametrize(
    ("variable", "words"),
    [("SERVING_FRONT", FRONTS), ("SERVING_LOG_LEVEL", LEVELS), ("SERVING_ACCESS_LOG", ACCESS_LOGS)],
)
def test_the_words_that_a_variable_takes_are_the_codes(variable: str, words: tuple[str, ...]) -> None:
    (told,) = re.findall(rf"^\| `{variable}` \| (.+?) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert tuple(re.findall(r"`([^`]+)`", told)) == words
