"""What a stand-in may do to its job: outputs, variables, tools on the path; and what the job is permitted.

act knows neither `environment:` nor `permissions:`, so the harness puts both into the job's variables.
"""

import json
import os
import sys
from pathlib import Path
from typing import NoReturn

_LEVELS = ("none", "read", "write")


def fail(message: str) -> NoReturn:
    """End the step as the real action does."""
    print(f"::error::{message}")
    sys.exit(1)


def permitted(scope: str, level: str) -> None:
    """Fail unless the job's token may do that."""
    granted = json.loads(os.environ["REHEARSED_PERMISSIONS"]).get(scope, "none")
    if _LEVELS.index(granted) < _LEVELS.index(level):
        fail(f"Resource not accessible by integration: the job has {scope}: {granted}, this needs {scope}: {level}")


def output(name: str, value: str) -> None:
    """An output of the step."""
    _append("GITHUB_OUTPUT", f"{name}={value}")


def variable(name: str, value: str) -> None:
    """A variable of the steps that follow."""
    _append("GITHUB_ENV", f"{name}={value}")


def tool(name: str, command: str) -> None:
    """A command on the path of the steps that follow."""
    folder = Path(os.environ["RUNNER_TEMP"], "tools")
    folder.mkdir(parents=True, exist_ok=True)
    script(folder / name, command)
    _append("GITHUB_PATH", str(folder))


def script(path: Path, command: str) -> None:
    """An executable shell script of one command."""
    path.write_text(f"#!/bin/sh\n{command}\n", encoding="utf-8")
    path.chmod(0o755)


def _append(file: str, line: str) -> None:
    with Path(os.environ[file]).open("a", encoding="utf-8") as opened:
        opened.write(line + "\n")
