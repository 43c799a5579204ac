"""Containers that one process starts and takes away itself: what it left when it was killed outright is found again.

podman's --rm would take them away too, and where it is slow to look, the exit code with them.
"""

import json
import os
from typing import Any

from rehearsal.aws.processes import start_time
from rehearsal.containers.engine import Engine

LABEL = "drivetrain.process"
"""Its value is the pid of the process that the container belongs to, and when that started, as a pid is given again."""


def label_options() -> tuple[str, str]:
    """Options of `podman run` for a container that belongs to this process."""
    return ("--label", f"{LABEL}={_told(os.getpid())}")


def remove_orphans(engine: Engine) -> int:
    """Remove the containers whose process is gone; returns how many there were."""
    words = ("ps", "--all", "--no-trunc", "--filter", f"label={LABEL}", "--format", "json")
    found: list[dict[str, Any]] = json.loads(engine.call(*words))
    orphans = [str(each["Id"]) for each in found if not _alive(each["Labels"][LABEL])]
    engine.remove(*orphans)
    return len(orphans)


def _told(pid: int) -> str:
    return f"{pid} {start_time(pid)}"


def _alive(owner: str) -> bool:
    pid, _, _ = owner.partition(" ")
    return pid.isdigit() and owner == _told(int(pid))
