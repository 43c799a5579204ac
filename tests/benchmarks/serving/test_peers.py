"""Every peer is pinned, and is told where its environment comes from."""

import re

import pytest

from benchmarks.serving.places import PEERS
from benchmarks.serving.targets import OURS, TARGETS

NAMES = [target.name for target in TARGETS if target.kind != "ours"]
_PINNED = re.compile(r"[a-z0-9._-]+(\[[a-z,-]+\])?==\S+( ;.*)?", re.IGNORECASE)


def test_all_that_the_issue_names_are_there() -> None:
    assert TARGETS[0].name == OURS
    assert sorted(NAMES) == sorted(path.name for path in PEERS.iterdir() if path.name not in {"shared", "__pycache__"})
    assert len(NAMES) == 11


@pytest.mark.parametrize("name", NAMES)
def test_versions_are_pinned_and_no_registry_is_named(name: str) -> None:
    folder = PEERS / name
    if (folder / "go.mod").is_file():
        assert (folder / "go.sum").read_text().count("h1:") >= 2
        # What the Go peers share lies beside them, and nothing else comes from another place than its pinned one.
        assert re.findall("^replace .*", (folder / "go.mod").read_text(), re.M) == [
            "replace bench/fleet => ../shared/fleet"
        ]
        return
    lines = (folder / "requirements.txt").read_text().splitlines()
    wrong = [line for line in lines if not line.startswith("#") and not _PINNED.fullmatch(line)]
    assert len(lines) > 10
    assert wrong == []
