import json
from dataclasses import asdict
from pathlib import Path

import pytest

from rehearsal.engine.resource_state import ResourceState
from rehearsal.engine.state import StackStore, StateCorruptError
from rehearsal.engine.storage import FileStorage
from rehearsal.engine.urn import STACK_TYPE
from rehearsal.provider.wire import SECRET, SIGNATURE


def resource(name: str, **fields: object) -> ResourceState:
    return ResourceState.from_json(
        {"urn": f"urn:pulumi:s::p::t::{name}", "type": "t", "custom": True, "id": name, **fields}
    )


def store_at(path: Path) -> StackStore:
    return StackStore(FileStorage(path))


def test_a_killed_process_leaves_a_journal_that_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "local.json"
    store = store_at(path)
    store.put(resource("a", dependencies=["x"], property_dependencies={"k": ["x"]}, secrets=["password"]))
    store.put(resource("b"))
    store.drop("urn:pulumi:s::p::t::b")
    with (tmp_path / "local.json.journal").open("a") as journal:
        journal.write('{"put": {"urn": "half')

    again = store_at(path)
    assert list(again.resources) == ["urn:pulumi:s::p::t::a"]
    expected = resource("a", dependencies=["x"], property_dependencies={"k": ["x"]}, secrets=["password"])
    assert again.get("urn:pulumi:s::p::t::a") == expected
    assert again.exists


def test_commit_replaces_the_file_and_removes_the_journal(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "local.json"
    store = store_at(path)
    store.account_id = "1"
    store.put(resource("root", type=STACK_TYPE, custom=False, outputs={"bucket": "b"}))
    store.commit()
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["local.json"]
    assert store_at(path).outputs == {"bucket": "b"}
    assert store_at(path).account_id == "1"
    assert json.loads(path.read_text())["version"] == 3


def test_a_commit_without_a_change_leaves_the_time_of_the_last_one(tmp_path: Path) -> None:
    path = tmp_path / "local.json"
    store = store_at(path)
    store.put(resource("a"))
    store.commit()
    before = path.read_text()
    again = store_at(path)
    again.put(resource("a"))
    again.commit()
    assert path.read_text() == before
    assert json.loads(before)["checkpoint"]["latest"]["manifest"]["time"].startswith("20")


def test_a_replaced_resource_and_its_replacement_are_both_kept(tmp_path: Path) -> None:
    store = store_at(tmp_path / "local.json")
    store.put(resource("a", pending_delete=True))
    store.put(resource("a"))
    assert len(store.resources) == 2


def test_a_stack_that_was_never_made_does_not_exist(tmp_path: Path) -> None:
    assert not store_at(tmp_path / "local.json").exists


def test_a_deployment_is_taken_for_the_state(tmp_path: Path) -> None:
    store = store_at(tmp_path / "local.json")
    store.put(resource("a"))
    other = store_at(tmp_path / "other.json")
    other.restore(store.deployment())
    assert other.resources == store.resources
    with pytest.raises(StateCorruptError, match="urn"):
        other.restore({"resources": [{}]})


@pytest.mark.parametrize("text", ["[]", "{}", '{"checkpoint": {"latest": {"resources": [{}]}}}', "{"])
def test_something_else_in_the_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "local.json"
    path.write_text(text)
    with pytest.raises(StateCorruptError, match="move it away"):
        store_at(path)


def test_a_state_of_an_older_rehearsal_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "local.json"
    entry = asdict(resource("a", dependencies=["x"]))
    del entry["external"], entry["secrets"]
    path.write_text(json.dumps({"version": 1, "account_id": "1", "outputs": {}, "resources": [entry]}))
    store = store_at(path)
    assert (store.account_id, store.resources) == ("1", {entry["urn"]: resource("a", dependencies=["x"])})
    store.commit()
    assert json.loads(path.read_text())["version"] == 3


def test_encrypted_secrets_are_said_to_be_out_of_reach(tmp_path: Path) -> None:
    secret = {SIGNATURE: SECRET, "ciphertext": "v1:abc"}
    entry = {"urn": "u", "type": "t", "custom": True, "outputs": {"password": secret}}
    path = tmp_path / "local.json"
    path.write_text(json.dumps({"version": 3, "checkpoint": {"latest": {"resources": [entry]}}}))
    with pytest.raises(StateCorruptError, match="encrypted secrets, for which the rehearsal has no key"):
        store_at(path)
