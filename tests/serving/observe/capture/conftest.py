"""A capture into a folder of the test's own, and what it wrote."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from serving.observe import shared
from serving.observe.capture.capture import Capture
from serving.observe.logs import Log


@pytest.fixture
def cells() -> shared.Cells:
    return shared.region(shared.allocate(1), 0)


@pytest.fixture
def start(cells: shared.Cells) -> Iterator[Callable[..., Capture]]:
    """Start captures that end with the test."""
    started: list[Capture] = []

    def make(folder: Path, **settings: Any) -> Capture:
        capture = Capture(folder, cells, settings.pop("log", Log(descriptor=2)), **settings)
        capture.start()
        started.append(capture)
        return capture

    yield make
    for capture in started:
        capture.close(60)


def captured(folder: Path) -> list[dict[str, Any]]:
    """The lines of all finished files under `folder`."""
    files = sorted(folder.rglob("[!.]*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def read() -> Callable[[Path], list[dict[str, Any]]]:
    return captured


@pytest.fixture
def wait() -> Callable[[Callable[[], bool]], None]:
    """Wait until something is so, which the capture's thread brings about."""

    def until(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline, "it never came about"
            time.sleep(0.005)

    return until
