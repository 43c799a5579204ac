"""A Go that cannot build a peer is said to be too old, with what is needed; what Go peers share is there once."""

import re
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.serving import environments
from benchmarks.serving.environments import SetupError, go_program
from benchmarks.serving.places import PEERS


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Commands that would have been run."""
    found: list[str] = []
    monkeypatch.setattr(environments, "run", lambda command, **_: found.append(command[1]))
    return found


def go(monkeypatch: pytest.MonkeyPatch, folder: Path, script: str) -> None:
    (folder / "go").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "go").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_an_older_go_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, built: list[str]) -> None:
    go(monkeypatch, tmp_path, "echo go1.19.8")
    with pytest.raises(SetupError, match=r"^needs Go 1\.24 or later, found 1\.19$"):
        go_program("go_nethttp")
    assert built == []


def test_a_newer_go_builds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, built: list[str]) -> None:
    go(monkeypatch, tmp_path, "echo go1.26.8")
    assert go_program("go_nethttp").name == "server"
    assert built == ["build"]


def test_a_go_that_may_not_fetch_another_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, built: list[str]
) -> None:
    go(monkeypatch, tmp_path, "echo 'go.mod requires go >= 1.24.0 (running go 1.22.1; GOTOOLCHAIN=local)' >&2; exit 1")
    with pytest.raises(SetupError, match=r"requires go >= 1\.24\.0 \(running go 1\.22\.1"):
        go_program("go_nethttp")
    assert built == []


def test_without_go_its_package_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match="golang-go"):
        go_program("go_fasthttp")


def test_what_go_peers_share_is_one_module_that_needs_no_other_go_than_they_do() -> None:
    modules = sorted(PEERS.rglob("go.mod"))
    assert [str(module.parent.relative_to(PEERS)) for module in modules] == [
        "go_fasthttp",
        "go_nethttp",
        "shared/fleet",
    ]
    # `go_program` compares with the peer's own line.
    assert len({re.findall("^go .*", module.read_text(), re.MULTILINE)[0] for module in modules}) == 1
    functions = Counter(
        name
        for source in PEERS.rglob("*.go")
        for name in re.findall(r"^func (?:\([^)]*\) )?(\w+)", source.read_text(), re.MULTILINE)
    )
    assert functions["main"] == 2
    assert {name for name, count in functions.items() if count > 1} == {"main"}
