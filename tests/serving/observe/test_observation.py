"""How a worker's end is shared out among what still has something to write, by a clock of the test's own."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from serving.observe import observation as module
from serving.observe import shared
from serving.observe.observation import Observation
from serving.observe.settings import ObservationSettings


class Part:
    """Takes all the time that it is given."""

    def __init__(self, clock: list[float], given: dict[str, float], name: str, *_: object, **__: object) -> None:
        self._clock, self._given, self._name = clock, given, name

    def close(self, seconds: float) -> None:
        self._given[self._name] = seconds
        self._clock[0] += seconds


@pytest.fixture
def end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], dict[str, float]]:
    """The seconds that each part is given when all have as many."""

    def close(seconds: float) -> dict[str, float]:
        clock, given = [100.0], dict[str, float]()
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock[0]))
        for where in ("observation.Capture", "traces.Traces", "observation.Log"):
            name = where.rpartition(".")[2]
            monkeypatch.setattr(f"serving.observe.{where}", partial(Part, clock, given, name))
        settings = ObservationSettings(capture_dir=tmp_path, otlp_endpoint="http://127.0.0.1:4318", access_log="off")
        Observation(shared.allocate(1), 0, settings).close(seconds)
        return given

    return close


def test_an_end_with_time_to_spare_is_not_drawn_out(end: Callable[[float], dict[str, float]]) -> None:
    assert end(28.0) == {"Capture": 5.0, "Traces": 2.0, "Log": 2.0}


@pytest.mark.parametrize("seconds", [8.0, 6.5, 5.5, 5.0, 3.0, 0.5])
def test_captures_come_first_and_all_of_them_end_in_time(
    end: Callable[[float], dict[str, float]], seconds: float
) -> None:
    given = end(seconds)
    assert given["Capture"] == min(5.0, seconds)
    assert sum(given.values()) <= seconds
    assert given["Log"] >= given["Traces"] >= 0


def test_an_end_that_comes_too_late_waits_for_nobody(end: Callable[[float], dict[str, float]]) -> None:
    assert end(-1.0) == {"Capture": 0.0, "Traces": 0.0, "Log": 0.0}
