"""An environment that somebody is at work on, or was a moment ago."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from delivery.pulumi.backend import open_bucket
from delivery.stacks.at_work import deployed_since, held_by

STACKS = ("staging", "staging-bikes")
NOW = datetime.now(UTC)


def test_a_lock_on_any_of_the_stacks_counts(tmp_path: Path) -> None:
    backend = f"file://{tmp_path}"
    assert held_by(backend, "drivetrain", STACKS) == ""
    lock = {"pid": 7, "username": "ann", "hostname": "runner", "timestamp": f"{NOW:%Y-%m-%dT%H:%M:%S}Z"}
    open_bucket(backend).write(".pulumi/locks/organization/drivetrain/staging-bikes/x.json", json.dumps(lock))
    assert held_by(backend, "drivetrain", STACKS).startswith("the stack staging-bikes is held by ann@runner")
    assert held_by(backend, "drivetrain", ["staging"]) == ""


def test_a_state_that_was_written_a_short_while_ago_counts(tmp_path: Path) -> None:
    backend, key = f"file://{tmp_path}", ".pulumi/stacks/drivetrain/staging-bikes.json"
    moment = NOW - timedelta(hours=2)
    assert deployed_since(backend, "drivetrain", STACKS, moment) == ""
    open_bucket(backend).write(key, "{}")
    assert deployed_since(backend, "drivetrain", STACKS, moment).startswith("the stack staging-bikes was deployed at")
    assert deployed_since(backend, "drivetrain", ["staging"], moment) == ""
    long_ago = (NOW - timedelta(hours=3)).timestamp()
    os.utime(tmp_path / key, (long_ago, long_ago))
    assert deployed_since(backend, "drivetrain", STACKS, moment) == ""
