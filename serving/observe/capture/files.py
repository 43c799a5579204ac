"""Files that grow, turn over by size and age, and appear under their name only when they are whole.

The tree is that of SageMaker's data capture: `<model>/<variant>/yyyy/mm/dd/hh/mm-ss-mmm-<uuid>.jsonl`, in UTC. While a
file grows it is hidden (`.….part`) and locked. A file whose writer died has no lock: the next writer cuts off its torn
last line and gives it its name.
"""

import fcntl
import os
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

_PART: Final = ".part"
_PRIVATE: Final = 0o640
"""Captured traffic is for its owner and group."""


class CaptureFile:
    """The file that grows now, under `folder`; none before the first line."""

    def __init__(
        self,
        folder: Path,
        *,
        largest_bytes: int,
        oldest_seconds: float,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._largest_bytes = largest_bytes
        self._oldest_seconds = oldest_seconds
        self._clock = clock
        self._monotonic = monotonic
        self._descriptor = -1
        self._path = folder
        self._size = 0
        self._opened = 0.0

    def write(self, lines: bytes) -> None:
        """Append whole `lines`; OSError when they cannot be, and then none of them is there."""
        if self._descriptor < 0:
            self._open()
        rest = memoryview(lines)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError:
            # A part of a line must not stay, or what comes after it would be lost with it.
            os.ftruncate(self._descriptor, self._size)
            os.lseek(self._descriptor, self._size, os.SEEK_SET)
            raise
        self._size += len(lines)
        if self._size >= self._largest_bytes:
            self.close()

    def turn_over(self) -> None:
        """Close the file when it is old enough."""
        if self._descriptor >= 0 and self._monotonic() - self._opened >= self._oldest_seconds:
            self.close()

    def close(self) -> None:
        """Give the file its name; OSError when that cannot be done, and the file is left to `recover`."""
        if self._descriptor < 0:
            return
        descriptor, self._descriptor = self._descriptor, -1
        _publish(descriptor, self._path)

    def _open(self) -> None:
        now = datetime.fromtimestamp(self._clock(), UTC)
        folder = self._folder / f"{now:%Y/%m/%d/%H}"
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{now:%M-%S}-{now.microsecond // 1000:03}-{uuid.uuid4()}.jsonl"
        path = folder / f".{name}{_PART}"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _PRIVATE)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._descriptor, self._path, self._size, self._opened = descriptor, path, 0, self._monotonic()


def recover(folder: Path) -> int:
    """Finish the files under `folder` whose writers died, and tell how many lines' ends were torn off."""
    torn = 0
    for path in sorted(folder.rglob(f".*{_PART}")):
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            continue
        content = path.read_bytes()
        whole = content.rfind(b"\n") + 1
        torn += whole < len(content)
        os.ftruncate(descriptor, whole)
        _publish(descriptor, path)
    return torn


def _publish(descriptor: int, path: Path) -> None:
    """Rename to the final name, an empty file to nothing, and only then let go of the lock."""
    try:
        if os.fstat(descriptor).st_size:
            path.rename(path.with_name(path.name.removeprefix(".").removesuffix(_PART)))
        else:
            path.unlink()
    finally:
        os.close(descriptor)
