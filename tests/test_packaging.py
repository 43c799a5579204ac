"""What is no module but is read by one is in the package, too: an installation without the checkout would miss it."""

import fnmatch
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_every_file_that_is_no_module_is_packaged() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    packages = [pattern.removesuffix("*") for pattern in declared["packages"]["find"]["include"]]
    listed = subprocess.run(
        ["git", "ls-files", "--", *packages], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    files = [file for file in listed if not file.endswith(".py")]
    patterns = [f"{package}/{glob}" for package, globs in declared["package-data"].items() for glob in globs]
    assert files
    assert [file for file in files if not any(fnmatch.fnmatch(file, pattern) for pattern in patterns)] == []
    assert [pattern for pattern in patterns if not fnmatch.filter(files, pattern)] == []
