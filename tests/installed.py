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


def need(*paths: Path) -> None:
    """Skip where one of the files or folders is not there."""
    missing = [path.name for path in paths if not path.exists()]
    if missing:
        pytest.skip(f"no {', no '.join(missing)}; {_ADVICE}")


def need_programs(*names: str) -> None:
    """Skip where one of the programs is not in PATH, nor where Debian has those of the system."""
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/lib/podman"
    missing = [name for name in names if shutil.which(name, path=path) is None]
    if missing:
        pytest.skip(f"no {', no '.join(missing)}; {_ADVICE}")
