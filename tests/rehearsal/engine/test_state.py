import json
from pathlib import Path

import pytest

from rehearsal.engine.state import ResourceState, StackStore, StateCorruptError, write_atomically


def resource(name: str, **fields: object) -> ResourceState:
    return ResourceState.from_json(
        {"urn": f"urn:pulumi:s::p::t::{name}", "type": "t", "custom": True, "id": name, **fields}
    )


def test_a_killed_process_leaves_a_journal_that_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "local.json"
    store = StackStore(path)
    store.put(resource("a", dependencies=["x"], property_dependencies={"k": ["x"]}))
    store.put(resource("b"))
    store.drop("urn:pulumi:s::p::t::b")
    with (tmp_path / "local.json.journal").open("a") as journal:
        journal.write('{"put": {"urn": "half')

    again = StackStore(path)
    assert list(again.resources) == ["urn:pulumi:s::p::t::a"]
    assert again.get("urn:pulumi:s::p::t::a") == resource("a", dependencies=["x"], property_dependencies={"k": ["x"]})


def test_commit_replaces_the_file_and_removes_the_journal(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "local.json"
    store = StackStore(path)
    store.put(resource("a"))
    store.outputs = {"bucket": "b"}
    store.commit()
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["local.json"]
    assert StackStore(path).outputs == {"bucket": "b"}
    assert json.loads(path.read_text())["version"] == 1


def test_a_replaced_resource_and_its_replacement_are_both_kept(tmp_path: Path) -> None:
    store = StackStore(tmp_path / "local.json")
    store.put(resource("a", pending_delete=True))
    store.put(resource("a"))
    assert len(store.resources) == 2


def test_something_else_in_the_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "local.json"
    path.write_text("[]")
    with pytest.raises(StateCorruptError, match="move it away"):
        StackStore(path)


def test_an_atomic_write_leaves_no_partial_file(tmp_path: Path) -> None:
    write_atomically(tmp_path / "f", "text")
    assert [entry.name for entry in tmp_path.iterdir()] == ["f"]
