import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from delivery.pulumi.backend import open_bucket
from delivery.pulumi.locks import LockError, find_locks, release, whoami


@pytest.fixture
def backend(tmp_path: Path) -> str:
    return f"file://{tmp_path}"


def lock(backend: str, user: str, minutes_ago: int, stack: str = "dev") -> None:
    content = {
        "pid": 7,
        "username": user,
        "hostname": "runner",
        # As Go writes a time: more digits than a microsecond has, and an offset.
        "timestamp": f"{datetime.now(UTC) - timedelta(minutes=minutes_ago):%Y-%m-%dT%H:%M:%S}.123456789Z",
    }
    key = f".pulumi/locks/organization/drivetrain/{stack}/{user}-{minutes_ago}.json"
    open_bucket(backend).write(key, json.dumps(content))


def test_a_lock_says_who_holds_it_since_when(backend: str) -> None:
    lock(backend, "ann", 5)
    lock(backend, "bob", 90)
    lock(backend, "eve", 1, stack="staging")
    found = find_locks(backend, "drivetrain", "dev")
    assert [(each.holder, each.pid) for each in found] == [("bob@runner", 7), ("ann@runner", 7)]
    assert str(found[0]).startswith("held by bob@runner (process 7) since ")
    assert timedelta(minutes=89) < found[0].age() < timedelta(minutes=91)


def test_its_holder_releases_it_at_any_age(backend: str) -> None:
    lock(backend, "ann", 0)
    release(find_locks(backend, "drivetrain", "dev")[0], by="ann@runner")
    assert find_locks(backend, "drivetrain", "dev") == ()


def test_anyone_else_only_by_its_age(backend: str) -> None:
    lock(backend, "ann", 59)
    (held,) = find_locks(backend, "drivetrain", "dev")
    with pytest.raises(LockError, match=r"held by ann@runner .* you are bob@runner. Only its holder may release it"):
        release(held, by="bob@runner")
    with pytest.raises(LockError, match="less than 1:00:00 ago"):
        release(held, by="bob@runner", older_than=timedelta(hours=1))
    assert find_locks(backend, "drivetrain", "dev") == (held,)
    release(held, by="bob@runner", older_than=timedelta(minutes=30))
    assert find_locks(backend, "drivetrain", "dev") == ()


def test_a_file_that_is_no_lock_is_named(backend: str) -> None:
    open_bucket(backend).write(".pulumi/locks/organization/drivetrain/dev/x.json", "{}")
    with pytest.raises(LockError, match=r"dev/x\.json is no lock of Pulumi's"):
        find_locks(backend, "drivetrain", "dev")


def test_this_user_is_named_as_pulumi_names_holders() -> None:
    user, _, host = whoami().partition("@")
    assert user
    assert host
