"""podman's own folder, and what is said where it cannot be used."""

import os
from pathlib import Path

import pytest

from rehearsal.containers.engine import ContainerError, default_folder, open_engine


def with_programs(folder: Path, monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    monkeypatch.setattr("rehearsal.containers.engine.shutil.which", lambda name, **_: name if name in names else None)
    monkeypatch.setattr(os, "geteuid", lambda: 0)


def test_what_is_missing_is_named_with_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_programs(tmp_path, monkeypatch, "podman")
    with pytest.raises(ContainerError, match=r"containers need runc, conmon.*apt-get install .*podman"):
        open_engine(tmp_path / "engine")
    assert not (tmp_path / "engine").exists()


def test_it_needs_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_programs(tmp_path, monkeypatch, "podman", "runc", "conmon")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(ContainerError, match="rehearsed as root"):
        open_engine(tmp_path / "engine")


def test_everything_lies_in_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_programs(tmp_path, monkeypatch, "podman", "runc", "conmon")
    engine = open_engine(tmp_path / "engine")
    for name in ("CONTAINERS_CONF", "CONTAINERS_STORAGE_CONF"):
        assert str(tmp_path / "engine") in Path(engine.environment[name]).read_text()


def test_the_folder_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DRIVETRAIN_CONTAINERS", raising=False)
    assert default_folder(tmp_path) == tmp_path / ".tools" / "containers"
    monkeypatch.setenv("DRIVETRAIN_CONTAINERS", str(tmp_path / "shared"))
    assert default_folder(tmp_path) == tmp_path / "shared"
