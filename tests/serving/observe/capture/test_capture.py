"""The capture as it runs: a thread of its own, a real folder, a disk that is really full."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.schema import Column
from serving.core.call import Call
from serving.core.errors import RequestError
from serving.core.job import Answered, Job
from serving.core.service import Service
from serving.observe import shared
from serving.observe.batch import Batch
from serving.observe.capture.capture import Capture
from serving.observe.logs import Log

MakeBatch = Callable[..., Batch]
Start = Callable[..., Capture]
Read = Callable[[Path], list[dict[str, Any]]]
Wait = Callable[[Callable[[], bool]], None]


def test_requests_are_kept_with_their_answers(
    tmp_path: Path, start: Start, read: Read, make_batch: MakeBatch, cells: shared.Cells, car: dict[str, object]
) -> None:
    capture = start(tmp_path)
    batch = make_batch([car], [car | {"weight": 3000}, car])
    capture.batch(batch)
    capture.close(60)
    first, second = read(tmp_path / "auto-mpg" / "main")
    assert [first["eventMetadata"]["inferenceId"], second["eventMetadata"]["inferenceId"]] == ["request-0", "request-1"]
    assert [row["weight"] for row in json.loads(second["captureData"]["endpointInput"]["data"])["rows"]] == [3000, 2130]
    output = json.loads(second["captureData"]["endpointOutput"]["data"])
    assert output["predictions"] == pytest.approx(batch.answered.predictions[1:].tolist())
    assert cells[shared.CAPTURED] == 2


def test_a_request_that_failed_is_not_kept(
    tmp_path: Path, start: Start, read: Read, make_batch: MakeBatch, car: dict[str, object]
) -> None:
    capture = start(tmp_path)
    good = make_batch([car], [car])
    error = RequestError("internal", "no finite number", status=500)
    answered = Answered([error, good.answered.answers[1]], np.array([np.nan, 20], dtype=np.float32), 0.0, 0.0)
    capture.batch(Batch(good.service, "", good.jobs, answered, good.queued_seconds, 0.0, good.calls))
    capture.close(60)
    assert [event["eventMetadata"]["inferenceId"] for event in read(tmp_path)] == ["request-1"]


def test_what_is_only_tried_out_is_not_kept(
    tmp_path: Path, start: Start, read: Read, make_batch: MakeBatch, car: dict[str, object]
) -> None:
    capture = start(tmp_path)
    calls = [Call(b"", "application/json; purpose=trial", request_id="tried"), Call(b"", request_id="asked")]
    capture.batch(make_batch([car], [car], calls=calls))
    capture.close(60)
    assert [event["eventMetadata"]["inferenceId"] for event in read(tmp_path)] == ["asked"]


@pytest.mark.parametrize(("percent", "kept"), [(0, 0), (30, 3), (100, 10)])
def test_a_sample_is_kept(
    tmp_path: Path, start: Start, read: Read, make_batch: MakeBatch, car: dict[str, object], percent: int, kept: int
) -> None:
    draws = iter(np.arange(0.05, 1.0, 0.1).tolist())
    capture = start(tmp_path, percent=percent, draw=lambda: next(draws))
    capture.batch(make_batch(*[[car]] * 10))
    capture.close(60)
    assert len(read(tmp_path)) == kept


def test_without_a_setting_the_specification_decides(tmp_path: Path, make_batch: MakeBatch, start: Start) -> None:
    capture = start(tmp_path, draw=lambda: 0.999)
    batch = make_batch()
    assert batch.service.spec.monitor.capture_percent == 100
    capture.batch(batch)
    capture.close(60)
    assert len(list(tmp_path.rglob("*.jsonl"))) == 1


def test_what_the_writer_cannot_keep_up_with_is_counted(
    tmp_path: Path, make_batch: MakeBatch, cells: shared.Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.observe.capture.capture._WAITING_REQUESTS", 5)
    capture = Capture(tmp_path, cells, Log())
    batch = make_batch()
    for _ in range(12):
        capture.batch(batch)
    assert cells[shared.CAPTURE_DROPPED_FULL] == 7
    capture.start()
    capture.close(60)
    assert cells[shared.CAPTURED] == 5


def test_what_waits_is_bounded_by_its_values_too(
    tmp_path: Path,
    make_batch: MakeBatch,
    cells: shared.Cells,
    monkeypatch: pytest.MonkeyPatch,
    car: dict[str, object],
) -> None:
    monkeypatch.setattr("serving.observe.capture.capture._WAITING_VALUES", 100)
    capture = Capture(tmp_path, cells, Log())
    big = make_batch([car] * 20)
    for _ in range(3):
        capture.batch(big)
    assert cells[shared.CAPTURE_DROPPED_FULL] == 2, "the first one always fits"
    capture.start()
    capture.close(60)
    assert cells[shared.CAPTURED] == 1


def test_a_folder_that_cannot_be_written_is_logged_once(
    tmp_path: Path, start: Start, make_batch: MakeBatch, cells: shared.Cells, wait: Wait
) -> None:
    (tmp_path / "capture").write_text("a file, no folder")
    with (tmp_path / "stderr").open("wb") as stderr:
        log = Log(descriptor=os.dup(stderr.fileno()))
    capture = start(tmp_path / "capture", log=log, retry_seconds=0)
    batch = make_batch()
    for count in (1, 2, 3):
        capture.batch(batch)
        wait(lambda count=count: cells[shared.CAPTURE_DROPPED_ERROR] == count)
    (record,) = [json.loads(line) for line in (tmp_path / "stderr").read_text().splitlines()]
    assert record["level"] == "error"
    assert "Not a directory; requests go on" in record["message"]


def test_images_are_kept_as_they_came(
    tmp_path: Path, start: Start, read: Read, make_batch: MakeBatch, service: Service
) -> None:
    picture = Column(name="picture", type="image", height=2, width=2, channels=1)
    sky = Column(name="sky", type="category", categories=("clear", "cloudy"))
    changes = {"columns": (picture, sky), "features": ("picture",), "target": "sky"}
    of_images = object.__new__(Service)
    of_images.__dict__.update(artefact=service.artefact, spec=service.spec.model_copy(update=changes), release="")
    good = make_batch()
    job = Job(1, np.zeros((1, 1, 2, 2), dtype=np.float32), "application/json", b"PNG", "image/png")
    answered = Answered(good.answered.answers, np.array([1.0], dtype=np.float32), 0.0, 0.0)
    capture = start(tmp_path)
    capture.batch(Batch(of_images, "", [job], answered, [0.001], 0.0, good.calls))
    capture.close(60)
    (event,) = read(tmp_path)
    assert event["captureData"]["endpointInput"]["data"] == "UE5H"
    assert json.loads(event["captureData"]["endpointOutput"]["data"]) == {"predictions": ["cloudy"]}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB, mounted for the test: it needs root, as the tests' packages do."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], check=True)
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


@pytest.mark.slow
def test_a_full_disk_costs_captures_and_nothing_else(
    small_disk: Path, start: Start, read: Read, make_batch: MakeBatch, cells: shared.Cells, wait: Wait
) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(48 * 1024))
    capture = start(small_disk, retry_seconds=0.01)
    batch = make_batch()
    took: list[float] = []
    for _ in range(200):
        begun = time.perf_counter()
        capture.batch(batch)
        took.append(time.perf_counter() - begun)
    wait(lambda: cells[shared.CAPTURED] + cells[shared.CAPTURE_DROPPED_ERROR] == 200)
    assert cells[shared.CAPTURE_DROPPED_ERROR] > 0
    assert sorted(took)[-5] < 0.1, "but for those in which the machine did something else"
    before = cells[shared.CAPTURED]
    ballast.unlink()
    time.sleep(0.02)
    capture.batch(batch)
    wait(lambda: cells[shared.CAPTURED] == before + 1)
    capture.close(60)
    events = read(small_disk)
    assert len(events) == cells[shared.CAPTURED], "every line that is there is whole"
