"""What a test needs that tests/install_packages installs: where it is not, the test is skipped and says how to get it.

tests/conftest.py makes a failure of that in CI.
"""

import os
import shutil
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[1]
_ADVICE = "get it with: tests/install_packages"
PROMTOOL = _ROOT / ".tools" / "bin" / "promtool"
CHROMIUM = Path("/usr/bin/chromium")
ONNXRUNTIME_WEB = _ROOT / ".tools" / "onnxruntime-web"


def missing(*paths: Path) -> list[str]:
    """The names of those files and folders that are not there."""
    return [path.name for path in paths if not path.exists()]


def missing_programs(*names: str) -> list[str]:
    """Those programs that are neither in PATH nor where Debian has those of the system."""
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/lib/podman"
    return [name for name in names if shutil.which(name, path=path) is None]


def need(*paths: Path) -> None:
    """Skip where one of the files or folders is not there."""
    _skip(missing(*paths))


def need_programs(*names: str) -> None:
    """Skip where one of the programs is not there."""
    _skip(missing_programs(*names))


def _skip(names: list[str]) -> None:
    if names:
        pytest.skip(f"no {', no '.join(names)}; {_ADVICE}")
