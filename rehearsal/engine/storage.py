"""Where the state of a stack lies: a file with a journal beside it, or nowhere.

Rewriting the whole state at each of 200 steps would cost more than the steps do, so each step appends one line to a
journal; the state itself is replaced at the end, and a journal left by a killed process is read before anything else.
So nothing that was made is forgotten. The lock on a file is the kernel's (`flock`) and ends with its holder; the
stand-in of the `pulumi` command keeps its states in a backend with locks that do not (`rehearsal/pulumi/`).
"""

import fcntl
import os
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from rehearsal.engine.results import EngineError


class StackLockedError(EngineError):
    """Another process is at work on the stack."""


class StackStorage(Protocol):
    """One stack's state and its journal."""

    @property
    def title(self) -> str:
        """Where it lies, for messages."""
        ...

    def held(self) -> AbstractContextManager[None]:
        """Keep others from changing the stack; raises StackLockedError that says who holds it and since when."""
        ...

    def read(self) -> str | None:
        """The state, or None when there is none yet."""
        ...

    def write(self, text: str) -> None:
        """Replace the state as a whole; the journal is empty afterwards."""
        ...

    def append(self, line: str) -> None:
        """Add one line to the journal."""
        ...

    def journal(self) -> list[str]:
        """The lines since the state was last written."""
        ...

    def sibling(self, project: str, stack: str) -> "StackStorage":
        """Another stack of the same backend."""
        ...


class FileStorage:
    """A state in a file of its own; siblings lie in the same folder, called by their stack."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._journal = path.with_name(path.name + ".journal")

    @property
    def title(self) -> str:
        """The path."""
        return str(self._path)

    def held(self) -> AbstractContextManager[None]:
        """The kernel's lock on a file beside the state."""
        return locked(self._path)

    def read(self) -> str | None:
        """The text of the file."""
        return self._path.read_text(encoding="utf-8") if self._path.exists() else None

    def write(self, text: str) -> None:
        """Replace the file in one step and remove the journal."""
        write_atomically(self._path, text)
        self._journal.unlink(missing_ok=True)

    def append(self, line: str) -> None:
        """Add a line to the journal's file."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._journal.open("a", encoding="utf-8") as journal:
            journal.write(line + "\n")

    def journal(self) -> list[str]:
        """The lines of the journal's file."""
        return self._journal.read_text(encoding="utf-8").splitlines() if self._journal.exists() else []

    def sibling(self, project: str, stack: str) -> "FileStorage":
        """The stack of that name in the same folder; `project` is not part of the name."""
        del project
        return FileStorage(self._path.with_name(f"{stack}.json"))


class DiscardedStorage:
    """A copy of another storage in which nothing is kept: a preview refreshes it as it likes."""

    def __init__(self, origin: StackStorage) -> None:
        self._origin = origin

    @property
    def title(self) -> str:
        """Where the original lies."""
        return self._origin.title

    @contextmanager
    def held(self) -> Generator[None]:
        """Nobody else sees it."""
        yield

    def read(self) -> str | None:
        """The original's state."""
        return self._origin.read()

    def write(self, text: str) -> None:
        """Nothing."""
        del text

    def append(self, line: str) -> None:
        """Nothing."""
        del line

    def journal(self) -> list[str]:
        """The original's journal."""
        return self._origin.journal()

    def sibling(self, project: str, stack: str) -> StackStorage:
        """The original's sibling."""
        return self._origin.sibling(project, stack)


def storage_at(place: Path | StackStorage) -> StackStorage:
    """`place` itself, or the file of that path."""
    return FileStorage(place) if isinstance(place, Path) else place


def write_atomically(path: Path, text: str) -> None:
    """Replace the file, so that a reader sees the old text or the new one and never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with partial.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


@contextmanager
def locked(path: Path) -> Generator[None]:
    """Hold the stack whose state is at `path`; raises StackLockedError that says who holds it and since when."""
    lock_path = path.with_name(path.name + ".lock")
    lock_path.parent.mkdir(parents=True, exist_ok=True)
    with lock_path.open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise StackLockedError(f"{path.stem} is being changed by {lock.read().strip() or 'another'}") from None
        lock.truncate(0)
        lock.write(f"process {os.getpid()} since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC\n")
        lock.flush()
        try:
            yield
        finally:
            lock.truncate(0)
