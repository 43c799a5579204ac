import atexit
import gc
import runpy
from collections.abc import Callable
from typing import Any

import pytest

from tests.rehearsal.pulumi.conftest import Pulumi


@pytest.fixture
def at_exit(monkeypatch: pytest.MonkeyPatch) -> list[Callable[..., Any]]:
    """What is asked for at the end of the process, and not done."""
    asked: list[Callable[..., Any]] = []
    monkeypatch.setattr(atexit, "register", asked.append)
    return asked


def test_a_call_leaves_the_collector_of_its_process_alone(pulumi: Pulumi, at_exit: list[Callable[..., Any]]) -> None:
    before = gc.get_threshold()
    try:
        assert pulumi("version").code == 0
        assert gc.get_threshold() == before
        assert at_exit == []
    finally:
        gc.set_threshold(*before)


def test_a_process_of_its_own_looks_for_garbage_rarely(
    at_exit: list[Callable[..., Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    thresholds: list[int] = []
    monkeypatch.setattr(gc, "set_threshold", thresholds.append)
    monkeypatch.setattr("sys.argv", ["pulumi", "version"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("rehearsal.pulumi", run_name="__main__")
    assert ended.value.code == 0
    assert thresholds == [200_000]
    assert at_exit == [gc.freeze]
