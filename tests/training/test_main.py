"""The entry point as processes: kill, stop, failure, and what each leaves behind."""

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from training.__main__ import EXIT_DONE, EXIT_FAILED, EXIT_STOPPED, main

LONG = {"epochs": "150", "patience": "1000", "members": "4", "width": "16", "checkpoint_every": "5"}


def wait_for_checkpoint(job: Any, process: Any) -> None:
    folder: Path = job.base / "checkpoints"
    deadline = time.monotonic() + 120
    while not list(folder.glob("epoch-*.safetensors")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def result_of(job: Any) -> tuple[Any, ...]:
    manifest = job.manifest()
    return manifest["metrics"], manifest["files"]


def killed(make_job: Callable[[str], Any]) -> Any:
    """A job whose process was killed half way. Where the machine held this one up until all was trained, it is tried
    again."""
    for number in range(5):
        job = make_job(f"broken-{number}")
        job.export()
        process = job.configure(**LONG).start("train")
        wait_for_checkpoint(job, process)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        if process.returncode == -signal.SIGKILL and not (job.base / "model/manifest.json").exists():
            return job
    raise AssertionError("every process was through before it was killed")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_and_restarted_ends_as_if_nothing_had_happened(make_job: Callable[[str], Any]) -> None:
    whole, broken = make_job("whole"), killed(make_job)
    whole.export()
    whole.configure(**LONG)
    resumed = broken.start("train")
    output, errors = resumed.communicate(timeout=200)
    assert resumed.returncode == EXIT_DONE, errors
    assert "resumed from the checkpoint after epoch" in output
    uninterrupted = whole.start("train")
    _, errors = uninterrupted.communicate(timeout=200)
    assert uninterrupted.returncode == EXIT_DONE, errors
    assert errors == "", "training prints no warnings"
    assert result_of(broken) == result_of(whole)


@pytest.mark.slow
def test_sigterm_stops_cleanly_with_a_checkpoint(make_job: Callable[[str], Any]) -> None:
    job = make_job("stopped")
    job.export()
    job.configure(**{**LONG, "epochs": "20000", "patience": "100000"})
    process = job.start("train")
    wait_for_checkpoint(job, process)
    asked = time.monotonic()
    process.terminate()
    output, errors = process.communicate(timeout=120)
    assert time.monotonic() - asked < 120
    assert process.returncode == EXIT_STOPPED, errors
    assert "checkpoint written" in output
    assert list((job.base / "checkpoints").glob("epoch-*.safetensors"))
    assert not (job.base / "model/manifest.json").exists()
    assert not (job.base / "output/failure").exists()


@pytest.mark.slow
def test_a_mistake_is_one_line_and_no_traceback(job: Any) -> None:
    process = job.configure(widht="64").start("train")
    _, errors = process.communicate(timeout=120)
    assert process.returncode == EXIT_FAILED
    assert job.failure().startswith("unknown hyperparameter 'widht'; known are ")
    assert "Traceback" not in errors


def test_unknown_command(job: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(job.base))
    handler = signal.getsignal(signal.SIGTERM)
    try:
        assert main(["serve"]) == EXIT_FAILED
    finally:
        signal.signal(signal.SIGTERM, handler)
    assert job.failure() == "usage: python -m training train|evaluate; found serve"
    assert "Traceback" not in capsys.readouterr().err


def test_a_defect_is_reported_with_its_kind(job: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(job.base))

    def broken(_container: object) -> None:
        raise RuntimeError("a defect\nin two lines")

    monkeypatch.setattr("training.train.train", broken)
    handler = signal.getsignal(signal.SIGTERM)
    try:
        assert main(["train"]) == EXIT_FAILED
    finally:
        signal.signal(signal.SIGTERM, handler)
    assert job.failure() == "RuntimeError: a defect in two lines"
