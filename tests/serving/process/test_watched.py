import json
import os
from pathlib import Path

import pytest

from serving.process.places import Place, Places
from serving.process.swap import Done, Outcome, Swaps
from serving.process.watched import WatchedFolder, first_place, look


def publish(folder: Path, *, whole: bool = True, age: float = 0) -> Path:
    folder.mkdir()
    (folder / "manifest.json").write_text(json.dumps({"files": {"model.onnx": "ab" * 32}}))
    os.utime(folder / "manifest.json", (1_700_000_000 - age, 1_700_000_000 - age))
    if whole:
        (folder / "model.onnx").write_bytes(b"")
    return folder


class FakeSwaps(Swaps):
    """Takes note of what is asked for and answers what it is told to."""

    def __init__(self) -> None:
        super().__init__(Places(models=(Place(name="", folder="/opt/ml/model"),)), ())
        self.asked: list[str] = []
        self.outcome = Outcome(done=True, about={})

    def request(self, place: Place, done: Done, *, other_model: bool = False) -> None:
        self.asked.append(Path(place.folder).name)
        done(self.outcome)


class Rig:
    def __init__(self, folder: Path) -> None:
        self.now = 0.0
        self.swaps = FakeSwaps()
        self.watched = WatchedFolder(folder, self.swaps, look(folder), clock=lambda: self.now)

    def tick(self) -> list[str]:
        return self.tick_after(1)

    def tick_after(self, seconds: float) -> list[str]:
        self.now += seconds
        self.watched.tick()
        return self.swaps.asked


def test_the_newest_whole_artefact_is_taken(tmp_path: Path) -> None:
    publish(tmp_path / "1", age=20)
    rig = Rig(tmp_path)
    assert rig.tick() == []
    publish(tmp_path / "2", age=10)
    publish(tmp_path / "3", whole=False)
    assert rig.tick() == ["2"]
    assert rig.tick() == ["2"]
    (tmp_path / "3" / "model.onnx").write_bytes(b"")
    assert rig.tick() == ["2", "3"]


def test_the_link_current_decides_where_there_is_one(tmp_path: Path) -> None:
    publish(tmp_path / "1", age=20)
    publish(tmp_path / "2")
    (tmp_path / "current").symlink_to("1")
    rig = Rig(tmp_path)
    assert rig.tick() == []
    (tmp_path / "next").symlink_to("2")
    (tmp_path / "next").rename(tmp_path / "current")
    assert rig.tick() == ["2"]


def test_a_refused_artefact_is_not_tried_again_until_it_changes(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    publish(tmp_path / "1", age=20)
    rig = Rig(tmp_path)
    rig.swaps.outcome = Outcome(done=False, reason="model.onnx was changed", about={})
    publish(tmp_path / "2", age=10)
    assert (rig.tick(), rig.tick()) == (["2"], ["2"])
    assert "2 is refused, the one before goes on: model.onnx was changed" in capfd.readouterr().err
    (tmp_path / "2" / "manifest.json").write_text(json.dumps({"files": {"model.onnx": "cd" * 32}}))
    assert rig.tick() == ["2", "2"]


def test_a_refused_artefact_is_tried_again_with_growing_pauses(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A worker may have died meanwhile, or a disk been full: the file need not change for that to pass."""
    rig = Rig(tmp_path)
    rig.swaps.outcome = Outcome(done=False, reason="worker 1 ended while it prepared the model", about={})
    publish(tmp_path / "1")
    assert [len(rig.tick_after(seconds)) for seconds in (1, 29, 2, 58, 3)] == [1, 1, 2, 2, 3]
    assert "it is tried again in 120 s, or when it changes" in capfd.readouterr().err
    rig.swaps.outcome = Outcome(done=True, about={})
    assert [len(rig.tick_after(seconds)) for seconds in (119, 2, 10_000)] == [3, 4, 4]


def test_a_refused_artefact_is_tried_when_any_of_its_files_changes(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.swaps.outcome = Outcome(done=False, reason="model.onnx was changed", about={})
    publish(tmp_path / "1")
    assert (len(rig.tick()), len(rig.tick())) == (1, 1)
    (tmp_path / "1" / "model.onnx").write_bytes(b"whole")
    assert len(rig.tick()) == 2


def test_a_wrong_moment_is_tried_again(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.swaps.outcome = Outcome(done=False, reason="a worker is being started", again=True, about={})
    publish(tmp_path / "1")
    rig.tick()
    assert rig.tick() == ["1", "1"]


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"files": []}', "[" * 200_000])
def test_what_is_no_manifest_is_no_artefact(tmp_path: Path, content: str) -> None:
    publish(tmp_path / "1")
    (tmp_path / "1" / "manifest.json").write_text(content)
    assert look(tmp_path) is None
    assert look(tmp_path / "nowhere") is None


def test_the_first_model_is_the_folders_where_it_has_one(tmp_path: Path) -> None:
    place = Place(name="", folder="/opt/ml/model")
    assert first_place(tmp_path, place) == (place, None)
    publish(tmp_path / "7")
    found, seen = first_place(tmp_path, place)
    assert (found.folder, found.release, seen) == (str(tmp_path / "7"), "7", look(tmp_path))
