"""What the engine remembers of a stack: one JSON file, a journal beside it while it works, and a lock.

Rewriting the whole file at each of 200 steps would cost more than the steps do, so each step appends one line to
`<file>.journal`; the file itself is replaced atomically at the end, and a journal left by a killed process is read
before anything else. So nothing that was made is forgotten. The lock is the kernel's (`flock`) and
ends with its holder.
"""

import fcntl
import json
import os
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rehearsal.engine.results import EngineError

VERSION = 1


@dataclass(frozen=True, kw_only=True)
class ResourceState:
    """One resource as it was last made; `inputs` are the checked ones, `outputs` were read back from AWS."""

    urn: str
    type: str
    custom: bool
    id: str = ""
    parent: str = ""
    provider: str = ""
    inputs: dict[str, Any] = field(default_factory=dict[str, Any])
    outputs: dict[str, Any] = field(default_factory=dict[str, Any])
    dependencies: tuple[str, ...] = ()
    property_dependencies: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    protect: bool = False
    retain_on_delete: bool = False
    deleted_with: str = ""
    pending_delete: bool = False

    @property
    def key(self) -> str:
        """A replaced resource waiting to be deleted shares its URN with its replacement, not its id."""
        return f"{self.urn}::{self.id}" if self.pending_delete else self.urn

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> "ResourceState":
        """The resource in one entry of the file."""
        fields: dict[str, Any] = dict(entry)
        fields["dependencies"] = tuple(entry.get("dependencies", ()))
        fields["property_dependencies"] = {
            key: tuple(urns) for key, urns in entry.get("property_dependencies", {}).items()
        }
        return cls(**fields)


class StateCorruptError(EngineError):
    """The state file holds something else."""


class StackLockedError(EngineError):
    """Another process is at work on the stack."""


class StackStore:
    """The resources of a stack, kept on disk after every change. Safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._journal_path = path.with_name(path.name + ".journal")
        self._lock = threading.Lock()
        self.account_id = ""
        self.outputs: dict[str, Any] = {}
        self._resources: dict[str, ResourceState] = {}
        self._load()

    @property
    def resources(self) -> dict[str, ResourceState]:
        """A copy: every resource by its key, in the order they were first made."""
        with self._lock:
            return dict(self._resources)

    def get(self, urn: str) -> ResourceState | None:
        """The live resource of that URN."""
        with self._lock:
            return self._resources.get(urn)

    def put(self, resource: ResourceState) -> None:
        """Remember `resource`, in place of what its URN stood for."""
        with self._lock:
            self._resources[resource.key] = resource
            self._append({"put": asdict(resource)})

    def drop(self, key: str) -> None:
        """Forget the resource of that key."""
        with self._lock:
            self._resources.pop(key, None)
            self._append({"drop": key})

    def commit(self) -> None:
        """Write the whole state in place of the old file and remove the journal."""
        with self._lock:
            document = {
                "version": VERSION,
                "account_id": self.account_id,
                "outputs": self.outputs,
                "resources": [asdict(resource) for resource in self._resources.values()],
            }
            write_atomically(self._path, json.dumps(document, indent=1))
            self._journal_path.unlink(missing_ok=True)

    def _append(self, entry: Mapping[str, Any]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._journal_path.open("a", encoding="utf-8") as journal:
            journal.write(json.dumps(entry) + "\n")

    def _load(self) -> None:
        if self._path.exists():
            try:
                document = json.loads(self._path.read_text(encoding="utf-8"))
                found = [ResourceState.from_json(entry) for entry in document["resources"]]
            except (ValueError, KeyError, TypeError) as error:
                raise StateCorruptError(f"{self._path} is no state of the rehearsal ({error}); move it away") from error
            self.account_id = document.get("account_id", "")
            self.outputs = document.get("outputs", {})
            self._resources = {resource.key: resource for resource in found}
        if self._journal_path.exists():
            self._replay()

    def _replay(self) -> None:
        for line in self._journal_path.read_text(encoding="utf-8").splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                break  # the last line of a process that was killed while it wrote
            if "put" in entry:
                resource = ResourceState.from_json(entry["put"])
                self._resources[resource.key] = resource
            else:
                self._resources.pop(entry["drop"], None)


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
