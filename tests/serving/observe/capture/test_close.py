"""The end of a capture that has more to write than there is time."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from serving.observe import shared
from serving.observe.batch import Batch
from serving.observe.capture.capture import Capture
from serving.observe.logs import Log


def test_a_stop_without_time_leaves_files_with_names_and_counts_the_rest(
    tmp_path: Path,
    make_batch: Callable[..., Batch],
    read: Callable[[Path], list[dict[str, Any]]],
    wait: Callable[[Callable[[], bool]], None],
    cells: shared.Cells,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # All of the time is for the names.
    monkeypatch.setattr("serving.observe.capture.capture._NAMING_SECONDS", 60.0)
    # Whatever was written is followed by a rest that only the stop ends.
    monkeypatch.setattr("serving.observe.capture.capture._REST", 1e9)
    capture = Capture(tmp_path, cells, Log())
    for _ in range(100):
        capture.batch(make_batch())
    capture.start()
    wait(lambda: cells[shared.CAPTURED] > 0)
    capture.close(60)
    written = len(read(tmp_path))
    assert not list(tmp_path.rglob(".*.part"))
    assert written == cells[shared.CAPTURED] == 16
    assert cells[shared.CAPTURE_DROPPED_FULL] == 100 - written
