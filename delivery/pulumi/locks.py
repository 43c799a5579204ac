"""The locks on a stack's state: who holds it since when, and letting go of one whose holder is gone.

Pulumi writes a lock as `{pid, username, hostname, timestamp}` (`pkg/backend/diy/lock.go`) and removes it when it ends.
A deploy that is killed leaves it behind. `pulumi cancel` removes every lock without a question; here one is released
only by the one who holds it, or when it is older than any deploy takes.
"""

import getpass
import json
import os
import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from delivery.errors import DeliveryError
from delivery.pulumi.backend import LOCKS, ORGANIZATION, open_bucket


class LockError(DeliveryError):
    """A lock that may not be released, or cannot be read."""


@dataclass(frozen=True, kw_only=True)
class StackLock:
    """One lock; `holder` is `user@host`, `path` its key in the backend."""

    holder: str
    host: str
    pid: int
    since: datetime
    path: str
    backend_url: str

    def age(self, now: datetime | None = None) -> timedelta:
        """How long it has been held."""
        return (now or datetime.now(UTC)) - self.since

    def __str__(self) -> str:
        return f"held by {self.holder} (process {self.pid}) since {self.since:%Y-%m-%d %H:%M:%S} UTC"


def find_locks(backend_url: str, project: str, stack: str) -> tuple[StackLock, ...]:
    """Every lock on the stack, the oldest first; raises LockError for a file that is none."""
    bucket = open_bucket(backend_url)
    found: list[StackLock] = []
    for key in bucket.keys(f"{LOCKS}/{ORGANIZATION}/{project}/{stack}"):
        text = bucket.read(key)
        if text is not None:  # else it was released in between
            found.append(_lock(text, key, backend_url))
    return tuple(sorted(found, key=lambda lock: lock.since))


def release(lock: StackLock, by: str, older_than: timedelta | None = None) -> None:
    """Remove the lock for `by` (`user@host`); raises LockError unless they hold it or it is older than `older_than`."""
    if lock.holder != by and (older_than is None or lock.age() < older_than):
        limit = "" if older_than is None else f", less than {older_than} ago"
        raise LockError(
            f"the lock is {lock}{limit}; you are {by}. Only its holder may release it, or anyone once it is older than "
            "--older-than, which should be longer than a deploy may take"
        )
    open_bucket(lock.backend_url).delete(lock.path)


def whoami() -> str:
    """This user on this machine, as Pulumi writes the holder of a lock."""
    return f"{_user()}@{socket.gethostname()}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user need not have a name
        return str(os.getuid())


def _lock(text: str, key: str, backend_url: str) -> StackLock:
    try:
        content = json.loads(text)
        return StackLock(
            holder=f"{content['username']}@{content['hostname']}",
            host=content["hostname"],
            pid=int(content["pid"]),
            since=datetime.fromisoformat(content["timestamp"]).astimezone(UTC),
            path=key,
            backend_url=backend_url,
        )
    except (ValueError, KeyError, TypeError) as error:
        raise LockError(f"{open_bucket(backend_url).url_of(key)} is no lock of Pulumi's ({error})") from error
