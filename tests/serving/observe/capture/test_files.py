import os
import re
from pathlib import Path

import pytest

from serving.observe.capture.files import CaptureFile, recover

NOON = 1_795_262_400.25


def make(folder: Path, **settings: float) -> CaptureFile:
    given = {"largest_bytes": 1000, "oldest_seconds": 60.0} | settings
    return CaptureFile(folder, clock=lambda: NOON, **given)  # pyright: ignore[reportArgumentType]


def names(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]


def test_a_file_appears_under_its_name_when_it_is_whole(tmp_path: Path) -> None:
    file = make(tmp_path)
    file.write(b"one\n")
    assert [name.rpartition("/")[2][0] for name in names(tmp_path)] == ["."]
    file.close()
    (name,) = names(tmp_path)
    assert re.fullmatch(r"2026/11/21/12/00-00-250-[0-9a-f-]{36}\.jsonl", name)
    assert (tmp_path / name).read_bytes() == b"one\n"
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o640


def test_files_turn_over_by_size_and_age(tmp_path: Path) -> None:
    now = 0.0
    file = CaptureFile(tmp_path, largest_bytes=10, oldest_seconds=5, monotonic=lambda: now)
    for text in (b"12345678\n", b"9\n", b"next\n"):
        file.write(text)
    file.turn_over()
    assert sum(not name.endswith(".part") for name in names(tmp_path)) == 1
    now = 5.0
    file.turn_over()
    contents = sorted((tmp_path / name).read_bytes() for name in names(tmp_path))
    assert contents == [b"12345678\n9\n", b"next\n"]
    file.close()
    assert len(names(tmp_path)) == 2, "closing what is not open makes no file"


def test_what_a_dead_writer_left_is_finished_and_its_torn_line_cut(tmp_path: Path) -> None:
    child = os.fork()
    if not child:
        make(tmp_path).write(b"whole\n")
        other = make(tmp_path / "other")
        other.write(b"torn")
        os._exit(0)
    os.waitpid(child, 0)
    alive = make(tmp_path)
    alive.write(b"mine\n")
    assert recover(tmp_path) == 1
    finished = [name for name in names(tmp_path) if name.endswith(".jsonl")]
    assert [(tmp_path / name).read_bytes() for name in finished] == [b"whole\n"]
    assert sum(name.endswith(".part") for name in names(tmp_path)) == 1, "a living writer's file is let alone"
    alive.close()


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "2026").write_text("in the way")
    with pytest.raises(OSError, match="2026"):
        make(tmp_path).write(b"line\n")
