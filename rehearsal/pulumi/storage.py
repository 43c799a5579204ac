"""A stack's state in a Pulumi backend, with the backend's own kind of lock.

The state is `.pulumi/stacks/<project>/<stack>.json`, as the real command keeps it. The real command writes all of it
again after each step; here each step is one small file in a folder beside it, which the next run reads first.

A lock is a file of its own and outlives a holder that is killed (`pkg/backend/diy/lock.go`): who comes next is told who
holds it, and the text is the real command's.
"""

import getpass
import json
import os
import socket
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime

from delivery.pulumi.backend import BACKUPS, LOCKS, ORGANIZATION, STACKS, StateBucket
from rehearsal.engine.storage import StackLockedError


class BackendStorage:
    """The state of one stack of one project in a backend."""

    def __init__(self, bucket: StateBucket, project: str, stack: str) -> None:
        self._bucket, self._project, self._stack = bucket, project, stack
        self._key = f"{STACKS}/{project}/{stack}.json"
        self._journal = f"{self._key}.journal"
        self._lock_folder = f"{LOCKS}/{ORGANIZATION}/{project}/{stack}"
        self._held = False
        self._appended = len(self.journal_keys())

    @property
    def title(self) -> str:
        """Where the state is."""
        return self._bucket.url_of(self._key)

    @contextmanager
    def held(self) -> Generator[None]:
        """Lock the stack. A second call by the same holder changes nothing."""
        if self._held:
            yield
            return
        mine = f"{self._lock_folder}/{uuid.uuid4()}.json"
        self._refuse_others(mine)
        self._bucket.write(mine, json.dumps(_lock_content()))
        try:
            self._refuse_others(mine)
            self._held = True
            yield
        finally:
            self._held = False
            self._bucket.delete(mine)

    def read(self) -> str | None:
        """The checkpoint."""
        return self._bucket.read(self._key)

    def write(self, text: str) -> None:
        """Put the checkpoint in place, the one before as a backup beside it; the steps are done with."""
        before = self.read()
        if before is not None and before != text:
            self._bucket.write(f"{self._key}.bak", before)
        self._bucket.write(self._key, text)
        steps = self.journal_keys()
        if steps:
            self._bucket.delete(*steps)
        self._appended = 0

    def append(self, line: str) -> None:
        """Note one step."""
        self._appended += 1
        self._bucket.write(f"{self._journal}/{self._appended:08d}", line)

    def journal(self) -> list[str]:
        """The steps that a killed run noted and did not live to put into the checkpoint."""
        return [text for key in self.journal_keys() if (text := self._bucket.read(key)) is not None]

    def journal_keys(self) -> list[str]:
        """Where those are."""
        return self._bucket.keys(self._journal)

    def sibling(self, project: str, stack: str) -> "BackendStorage":
        """Another stack of the backend."""
        return BackendStorage(self._bucket, project, stack)

    def remove(self) -> None:
        """Forget the stack: its state and its steps; the last state is kept as a backup."""
        before = self.read()
        if before is not None:
            stamp = datetime.now(UTC).strftime("%Y%m%d%H%M%S")
            self._bucket.write(f"{BACKUPS}/{self._project}/{self._stack}/{self._stack}.{stamp}.json", before)
        self._bucket.delete(self._key, f"{self._key}.bak", *self.journal_keys())

    def cancel(self) -> None:
        """Delete every lock on the stack, whoever holds it."""
        self._bucket.delete(*self._bucket.keys(self._lock_folder))

    def _refuse_others(self, mine: str) -> None:
        others = [key for key in self._bucket.keys(self._lock_folder) if key != mine]
        if not others:
            return
        lines = [
            f"the stack is currently locked by {len(others)} lock(s). Either wait for the other process(es) to end or "
            "delete the lock file with `pulumi cancel`."
        ]
        for key in others:
            held = json.loads(self._bucket.read(key) or "{}")
            lines.append(
                f"  {self._bucket.url_of(key)}: created by {held.get('username')}@{held.get('hostname')} "
                f"(pid {held.get('pid')}) at {held.get('timestamp')}"
            )
        raise StackLockedError("\n".join(lines))


def _lock_content() -> dict[str, object]:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user need not have a name
        user = str(os.getuid())
    return {
        "pid": os.getpid(),
        "username": user,
        "hostname": socket.gethostname(),
        "timestamp": datetime.now(UTC).isoformat(),
    }
