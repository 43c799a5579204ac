"""Archives are the same for the same files, and never unpack outside their folder."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from rehearsal.aws import archives


def test_equal_files_give_equal_bytes(tmp_path: Path) -> None:
    packed: list[bytes] = []
    for name, moment in (("one", 1_000_000_000), ("two", 1_700_000_000)):
        folder = tmp_path / name
        (folder / "deep").mkdir(parents=True)
        for file in ("deep/b.txt", "a.txt"):
            (folder / file).write_text(file)
            os.utime(folder / file, (moment, moment))
        content = archives.pack_folder(folder)
        assert content is not None
        packed.append(content)
    assert packed[0] == packed[1]
    archives.unpack(packed[0], tmp_path / "out")
    assert (tmp_path / "out/deep/b.txt").read_text() == "deep/b.txt"


def test_an_empty_folder_gives_no_archive(tmp_path: Path) -> None:
    assert archives.pack_folder(tmp_path) is None
    assert archives.pack_folder(tmp_path / "absent") is None


@pytest.mark.parametrize("name", ["../outside.txt", "/outside.txt", "a/../../outside.txt"])
def test_a_path_that_leads_outside_is_refused_or_kept_inside(tmp_path: Path, name: str) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = 1
        archive.addfile(entry, io.BytesIO(b"x"))
    folder = tmp_path / "model"
    if name.startswith("/"):
        archives.unpack(packed.getvalue(), folder)
        assert (folder / "outside.txt").read_text() == "x"
    else:
        with pytest.raises(archives.ArchiveError, match="outside"):
            archives.unpack(packed.getvalue(), folder)
    assert not (tmp_path / "outside.txt").exists()


def test_what_is_no_archive_is_refused_and_the_old_folder_stays(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "old.txt").write_text("old")
    with pytest.raises(archives.ArchiveError):
        archives.unpack(b"not a tar", folder)
    assert (folder / "old.txt").read_text() == "old"
