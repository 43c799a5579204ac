from pathlib import Path

import pytest

from delivery.pulumi.backend import open_bucket
from delivery.pulumi.locks import find_locks
from rehearsal.engine.storage import StackLockedError
from rehearsal.pulumi.storage import BackendStorage


@pytest.fixture
def storage(tmp_path: Path) -> BackendStorage:
    return BackendStorage(open_bucket(f"file://{tmp_path}"), "tiny", "dev")


def test_steps_are_read_in_their_order_by_who_comes_next(storage: BackendStorage, tmp_path: Path) -> None:
    storage.append("one")
    storage.append("two")
    after = BackendStorage(open_bucket(f"file://{tmp_path}"), "tiny", "dev")
    after.append("three")
    assert after.journal() == ["one", "two", "three"]
    after.write("state")
    assert (after.read(), after.journal()) == ("state", [])


def test_the_state_before_is_kept_as_a_backup(storage: BackendStorage, tmp_path: Path) -> None:
    storage.write("one")
    storage.write("two")
    assert (tmp_path / ".pulumi/stacks/tiny/dev.json.bak").read_text() == "one"


def test_a_held_stack_refuses_another_and_says_who_holds_it(storage: BackendStorage, tmp_path: Path) -> None:
    other = BackendStorage(open_bucket(f"file://{tmp_path}"), "tiny", "dev")
    with storage.held(), storage.held():
        (lock,) = find_locks(f"file://{tmp_path}", "tiny", "dev")
        message = rf"currently locked by 1 lock\(s\).*\n  file://.*: created by {lock.holder} \(pid {lock.pid}\) at 2"
        with pytest.raises(StackLockedError, match=message), other.held():
            pass
    with other.held():
        assert len(find_locks(f"file://{tmp_path}", "tiny", "dev")) == 1
    assert find_locks(f"file://{tmp_path}", "tiny", "dev") == ()


def test_stacks_do_not_lock_one_another(storage: BackendStorage) -> None:
    with storage.held(), storage.sibling("tiny", "staging").held():
        assert storage.read() is None
