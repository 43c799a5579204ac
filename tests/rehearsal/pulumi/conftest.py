"""The stand-in called in this process, on a backend in a folder, with a project and an account of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from rehearsal.pulumi.command import main
from tests.rehearsal.engine.conftest import (
    client,  # noqa: F401  # pyright: ignore[reportUnusedImport]
    environment,  # noqa: F401  # pyright: ignore[reportUnusedImport]
    moto_url,  # noqa: F401  # pyright: ignore[reportUnusedImport]
    project,  # noqa: F401  # pyright: ignore[reportUnusedImport]
    tiny,  # noqa: F401  # pyright: ignore[reportUnusedImport]
)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str


Pulumi = Callable[..., Answer]


@pytest.fixture
def backend(tmp_path: Path) -> str:
    return f"file://{tmp_path}/backend"


@pytest.fixture
def pulumi(
    tiny: Path,  # noqa: F811
    backend: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Pulumi:
    """`pulumi("stack", "ls")` in the folder of the tiny project."""
    monkeypatch.chdir(tiny)
    monkeypatch.setenv("PULUMI_BACKEND_URL", backend)
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "")

    def run(*arguments: str) -> Answer:
        capsys.readouterr()
        try:
            code = main(list(arguments))
        except SystemExit as ended:
            code = int(ended.code or 0)
        printed = capsys.readouterr()
        return Answer(code=code, stdout=printed.out, stderr=printed.err)

    return run


@pytest.fixture
def on_aws(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    """The process's own environment points at the account of the test, as a job's does."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
