"""An environment for each peer, set up once: a virtual environment of pinned packages, or a program that Go builds."""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.serving.places import KEPT, PEERS, ROOT, SOURCES

_SECONDS = 1200


class SetupError(Exception):
    """A peer cannot be set up here; the message says why, in one line."""


def install_tools() -> None:
    """wrk and the open-loop generator; SetupError when they cannot be had."""
    run([str(SOURCES / "install_tools")])


def python_environment(name: str) -> Path:
    """The Python of the peer's virtual environment, made or renewed when its requirements changed."""
    requirements = PEERS / name / "requirements.txt"
    folder, made_of = KEPT / name, _digest(requirements)
    python, stamp = folder / "bin" / "python", folder / "requirements.sha256"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == made_of:
        return python
    uv = ROOT / ".venv" / "bin" / "uv"
    shutil.rmtree(folder, ignore_errors=True)
    run([str(uv), "venv", "--quiet", "--python", sys.executable, str(folder)])
    run([str(uv), "pip", "install", "--quiet", "--python", str(python), "-r", str(requirements)])
    stamp.write_text(made_of, encoding="utf-8")
    return python


def go_program(name: str) -> Path:
    """The program that Go builds of the peer's folder and of `shared/fleet`; Go itself knows what has changed."""
    if shutil.which("go") is None:
        raise SetupError("there is no go command (Debian: golang-go)")
    needed, found = _version((PEERS / name / "go.mod").read_text(encoding="utf-8")), _go_version(PEERS / name)
    if found < needed:
        raise SetupError(f"needs Go {needed[0]}.{needed[1]} or later, found {found[0]}.{found[1]}")
    program = KEPT / name / "server"
    run(["go", "build", "-o", str(program), "."], folder=PEERS / name)
    return program


def _go_version(folder: Path) -> tuple[int, int]:
    """Of the Go that builds the folder: since 1.21 it fetches the one that go.mod asks for, and answers for that."""
    done = subprocess.run(["go", "env", "GOVERSION"], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SetupError(f"go: {done.stderr.strip()[-200:]}")
    return _version(done.stdout)


def _version(text: str) -> tuple[int, int]:
    """The first version after the word go, such as (1, 24) of `go 1.24.0` and of `go1.24.3`."""
    found = re.search(r"^go ?(\d+)\.(\d+)", text, re.MULTILINE)
    if found is None:
        raise SetupError(f"no version of Go in {text.strip()[:80]!r}")
    return int(found[1]), int(found[2])


def onnxruntime_library() -> Path:
    """ONNX Runtime as a shared library: the one that this checkout's own package brings."""
    found = importlib.util.find_spec("onnxruntime")
    folders = [Path(place) / "capi" for place in (found.submodule_search_locations or [])] if found else []
    libraries = [library for folder in folders for library in sorted(folder.glob("libonnxruntime.so*"))]
    if not libraries:
        raise SetupError("the onnxruntime package here has no libonnxruntime.so, which Go would load")
    return libraries[0]


def run(command: Sequence[str], folder: Path | None = None, environ: Mapping[str, str] | None = None) -> None:
    """Run to the end; SetupError with the last line it said when it fails."""
    settings = os.environ | dict(environ or {})
    try:
        done = subprocess.run(
            command, cwd=folder, env=settings, capture_output=True, text=True, check=False, timeout=_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise SetupError(f"{Path(command[0]).name} took more than {_SECONDS} s") from error
    if done.returncode:
        said = [line.strip() for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        raise SetupError(f"{Path(command[0]).name} {command[1] if command[1:] else ''}: {said[-1] if said else ''}")


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
