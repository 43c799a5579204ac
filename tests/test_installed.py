"""A part that is missing is a skip that says how to get it, not an error deep in a test."""

from pathlib import Path

import pytest

from tests import installed


def test_a_missing_part_is_named_with_how_to_get_it(tmp_path: Path) -> None:
    (tmp_path / "there").touch()
    with pytest.raises(pytest.skip.Exception, match=r"^no gone, no lost; get it with: tests/install_packages$"):
        installed.need(tmp_path / "gone", tmp_path / "there", tmp_path / "lost")
    with pytest.raises(pytest.skip.Exception, match=r"^no no-such-program; get it with: tests/install_packages$"):
        installed.need_programs("sh", "no-such-program")


def test_parts_that_are_there_are_no_skip(tmp_path: Path) -> None:
    assert installed.missing(tmp_path) == []
    assert installed.missing_programs("sh") == []
    installed.need(tmp_path)
    installed.need_programs("sh")
