"""What tests/install_packages says of what it cannot install, on a machine made of links to a few programs."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
WEB = next(
    line.split('"')[1]
    for line in (ROOT / "tests" / "install_packages").read_text().splitlines()
    if line.startswith("web=")
)


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A checkout with the browser's runtime, and beside it a machine with neither apt-get nor podman."""
    (tmp_path / "checkout" / "tests").mkdir(parents=True)
    shutil.copy(ROOT / "tests" / "install_packages", tmp_path / "checkout" / "tests")
    runtime = tmp_path / "checkout" / ".tools" / "onnxruntime-web"
    runtime.mkdir(parents=True)
    (runtime / "version").write_text(WEB)
    (tmp_path / "bin").mkdir()
    for name in ("bash", "env", "cat", "dirname"):
        (tmp_path / "bin" / name).symlink_to(str(shutil.which(name)))
    return tmp_path


def install(machine: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [machine / "checkout" / "tests" / "install_packages"]
    known = {"PATH": str(machine / "bin"), **environment}
    return subprocess.run(command, env=known, capture_output=True, text=True, check=False)


def program(machine: Path, name: str, script: str) -> None:
    (machine / "bin" / name).write_text(f"#!{machine}/bin/bash\n{script}\n")
    (machine / "bin" / name).chmod(0o755)


def test_without_apt_get_everything_that_lacks_is_named(machine: Path) -> None:
    done = install(machine)
    assert "install by hand: chromium podman runc mmdebstrap docker-registry golang-go" in done.stderr
    assert "put promtool (prometheus) into .tools/bin by hand" in done.stderr
    assert done.returncode == 0, done.stderr


def test_in_ci_what_lacks_is_a_failure(machine: Path) -> None:
    done = install(machine, CI="true")
    assert "promtool" in done.stderr, "the rest was tried all the same"
    assert done.returncode == 1


def test_a_go_that_is_too_old_is_named_with_what_is_needed(machine: Path) -> None:
    program(machine, "go", "[ $1 = env ] && echo go1.19.8 || exit 7")
    done = install(machine)
    assert "need Go 1.25 or later, or 1.21 or later, which fetches that; found 1.19.8" in done.stderr
    assert "act@v" in done.stderr
    assert done.returncode == 0, done.stderr


def test_what_a_newer_go_builds_is_noted(machine: Path) -> None:
    program(machine, "go", '[ $1 = env ] && echo go1.21.3 || echo "$@" >>"$GOBIN.built"')
    done = install(machine)
    assert done.returncode == 0, done.stderr
    tools = machine / "checkout" / ".tools"
    assert len((tools / "bin.built").read_text().splitlines()) == 2
    assert "github.com/nektos/act@v" in (tools / "act.version").read_text()
