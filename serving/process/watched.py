"""A folder of artefacts of which the current one is served: what its link `current` names, else the newest whole one.

Whoever publishes a model writes it beside the others and then moves the link, or writes manifest.json last. The folder
is looked at twice a second: a change of notification may get lost, a look cannot. A model that is refused is tried
again when one of its files changes, and with growing pauses anyway: the trouble may have been a passing one, such as a
worker that died meanwhile or a full disk. Standard library only: the supervisor imports this.
"""

import json
import stat
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final, cast

from serving.process.channel import Message
from serving.process.places import Place
from serving.process.supervisor import say
from serving.process.swap import Outcome, Swaps

MANIFEST_FILE: Final = "manifest.json"
CURRENT: Final = "current"
_LOOK_SECONDS: Final = 0.5

_FIRST_PAUSE: Final = 30.0
_LONGEST_PAUSE: Final = 600.0
"""A model that brings down the worker that tries it must not do so all the time."""

Seen = tuple[str, int, tuple[tuple[int, int], ...]]
"""Folder, time of its manifest, and size and time of all its files."""


class WatchedFolder:
    """Asks for a swap whenever there is another artefact to serve."""

    def __init__(
        self, folder: Path, swaps: Swaps, seen: Seen | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`seen` is what is served already."""
        self._folder = folder
        self._swaps = swaps
        self._seen = seen
        self._clock = clock
        self._next = 0.0
        self._refused: Seen | None = None
        self._retry_at = self._pause = 0.0

    def tick(self) -> None:
        """Look, when it is time."""
        now = self._clock()
        if now < self._next or self._swaps.busy:
            return
        self._next = now + _LOOK_SECONDS
        found = look(self._folder)
        if found is None or found == self._seen or (found == self._refused and now < self._retry_at):
            return
        place = replace(self._swaps.places.default, folder=found[0], manifest_sha256=None, release=Path(found[0]).name)
        self._swaps.request(place, lambda outcome: self._done(found, outcome))

    def _done(self, found: Seen, outcome: Outcome) -> None:
        if outcome.done:
            say(f"the model in {found[0]} is served now")
            self._seen, self._refused = found, None
        elif not outcome.again:
            self._pause = min(2 * self._pause, _LONGEST_PAUSE) if found == self._refused else _FIRST_PAUSE
            self._refused, self._retry_at = found, self._clock() + self._pause
            say(
                f"the model in {found[0]} is refused, the one before goes on: {outcome.reason}; "
                f"it is tried again in {self._pause:g} s, or when it changes",
                "warning",
            )


def look(folder: Path) -> Seen | None:
    """The artefact to serve from `folder`; None when there is no whole one."""
    link = folder / CURRENT
    try:
        candidates = [link.resolve(strict=True)] if link.is_symlink() or link.is_dir() else list(folder.iterdir())
    except OSError:
        return None
    whole = [seen for candidate in candidates if (seen := _whole(candidate)) is not None]
    return max(whole, key=lambda seen: (seen[1], seen[0]), default=None)


def _whole(folder: Path) -> Seen | None:
    """What is seen of `folder` if every file that its manifest lists is there."""
    file = folder / MANIFEST_FILE
    try:
        document: object = json.loads(file.read_bytes())
        files = cast("Message", document).get("files") if isinstance(document, dict) else None
        if not isinstance(files, dict):
            return None
        found = [path.stat() for path in (file, *(folder / name for name in cast("Message", files)))]
    except (OSError, ValueError, RecursionError):
        return None
    if not all(stat.S_ISREG(each.st_mode) for each in found):
        return None
    return str(folder), found[0].st_mtime_ns, tuple((each.st_size, each.st_mtime_ns) for each in found)


def first_place(folder: Path, place: Place) -> tuple[Place, Seen | None]:
    """What to serve at the start: the folder's artefact where it has one, else `place`."""
    found = look(folder)
    if found is None:
        return place, None
    return replace(place, folder=found[0], manifest_sha256=None, release=place.release or Path(found[0]).name), found
