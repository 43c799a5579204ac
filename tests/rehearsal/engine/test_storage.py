from pathlib import Path

from rehearsal.engine.storage import DiscardedStorage, FileStorage, write_atomically


def test_an_atomic_write_leaves_no_partial_file(tmp_path: Path) -> None:
    write_atomically(tmp_path / "f", "text")
    assert [entry.name for entry in tmp_path.iterdir()] == ["f"]


def test_what_a_copy_is_told_reaches_no_file(tmp_path: Path) -> None:
    origin = FileStorage(tmp_path / "s.json")
    origin.write("{}")
    copy = DiscardedStorage(origin)
    copy.append("line")
    copy.write("other")
    assert (copy.read(), copy.journal()) == ("{}", [])
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["s.json"]


def test_a_sibling_lies_in_the_same_folder(tmp_path: Path) -> None:
    FileStorage(tmp_path / "other.json").write("text")
    assert FileStorage(tmp_path / "s.json").sibling("project", "other").read() == "text"
