"""Whose process is gone goes; who has one stays."""

import json
import os
import subprocess
import sys
from typing import Any

from rehearsal.containers.orphans import LABEL, label_options, remove_orphans


class Engine:
    """podman that has containers of these owners; a container's id is its owner."""

    def __init__(self, *owners: str) -> None:
        self.owners = owners
        self.removed: list[str] = []

    def call(self, *_: str) -> str:
        return json.dumps([{"Id": owner, "Labels": {LABEL: owner}} for owner in self.owners])

    def remove(self, *containers: str) -> None:
        self.removed += containers


def test_a_container_is_an_orphan_when_its_process_is_gone() -> None:
    words = "from rehearsal.containers.orphans import label_options; print(label_options()[1].partition('=')[2])"
    gone = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True).stdout.strip()
    mine = label_options()[1].removeprefix(f"{LABEL}=")
    given_again = f"{os.getpid()} {gone.partition(' ')[2]}"
    engine: Any = Engine(gone, mine, given_again, "nonsense")
    assert remove_orphans(engine) == 3
    assert engine.removed == [gone, given_again, "nonsense"]
