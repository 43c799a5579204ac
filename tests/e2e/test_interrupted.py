"""Ctrl-C in any stage of the main job leaves nothing running and nothing half-made."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.e2e.checkout import Checkout, copy_checkout, quickly_trained

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    made = copy_checkout(tmp_path_factory.mktemp("interrupted"))
    spec = made.path / "models" / "auto_mpg" / "model.toml"
    spec.write_text(quickly_trained(spec.read_text()))
    yield made
    made.drivetrain("local", "down")


def processes_of(folder: Path) -> list[psutil.Process]:
    """Every process that runs in the folder or was started from it."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            places = [process.cwd(), *process.cmdline(), process.environ().get("PYTHONPATH", "")]
            if process.pid != os.getpid() and any(str(folder) in place for place in places):
                found.append(process)
    return found


def interrupt_at(checkout: Checkout, marker: str, number: signal.Signals) -> tuple[int, str]:
    """Bring the rehearsal up and send the signal, twice, at the line with `marker`; exit code and output."""
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "cli", "local", "up"],
        cwd=checkout.path,
        env=checkout.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        lines: list[str] = []
        try:
            for line in process.stdout:
                lines.append(line)
                if marker in line and "interrupted" not in "".join(lines):
                    process.send_signal(number)
                    process.send_signal(number)
            return process.wait(timeout=120), "".join(lines)
        finally:
            process.kill()  # one that does not end fails the test, and does not keep it for ever


@pytest.mark.parametrize(
    ("marker", "number"),
    [
        pytest.param(".. start the offline AWS", signal.SIGINT, id="start"),
        pytest.param(".. deploy the platform", signal.SIGINT, id="deploy"),
        pytest.param(".. push the images", signal.SIGINT, id="push"),
        pytest.param(".. land the data", signal.SIGTERM, id="land"),
        # A step's line is printed when it is done: the training runs.
        pytest.param("    Validate", signal.SIGINT, id="train"),
        pytest.param(".. bring the endpoints up", signal.SIGINT, id="endpoints"),
        pytest.param(".. ask", signal.SIGINT, id="ask"),
    ],
)
def test_nothing_is_left(copied: Checkout, marker: str, number: signal.Signals) -> None:
    code, output = interrupt_at(copied, marker, number)
    assert marker in output
    assert "Traceback" not in output
    assert "nothing is left running" in output
    assert code == 130
    assert processes_of(copied.path) == []
    assert not (copied.path / ".local" / "default").exists()
