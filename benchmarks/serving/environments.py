"""An environment for each peer, set up once: a virtual environment of pinned packages, or a program that Go builds."""

import hashlib
import importlib.util
import os
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
    """The program that Go builds of the peer's folder."""
    if shutil.which("go") is None:
        raise SetupError("there is no go command (Debian: golang-go)")
    program = KEPT / name / "server"
    run(["go", "build", "-o", str(program), "."], folder=PEERS / name)
    return program


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
