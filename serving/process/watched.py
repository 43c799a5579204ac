"""A folder of artefacts of which the current one is served: what its link `current` names, else the newest whole one.

Whoever publishes a model writes it beside the others and then moves the link, or writes manifest.json last. The folder
is looked at twice a second: a change of notification may get lost, a look cannot. A model that is refused is not tried
again until something about it changes. Standard library only: the supervisor imports this.
"""

import json
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

Seen = tuple[str, int, int]
"""Folder, and size and time of its manifest."""


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

    def tick(self) -> None:
        """Look, when it is time."""
        now = self._clock()
        if now < self._next or self._swaps.busy:
            return
        self._next = now + _LOOK_SECONDS
        found = look(self._folder)
        if found is None or found == self._seen:
            return
        place = replace(self._swaps.places.default, folder=found[0], manifest_sha256=None, release=Path(found[0]).name)
        self._swaps.request(place, lambda outcome: self._done(found, outcome))

    def _done(self, found: Seen, outcome: Outcome) -> None:
        if outcome.done:
            say(f"the model in {found[0]} is served now")
        elif outcome.again:
            return
        else:
            say(f"the model in {found[0]} is refused, the one before goes on: {outcome.reason}")
        self._seen = found


def look(folder: Path) -> Seen | None:
    """The artefact to serve from `folder`; None when there is no whole one."""
    link = folder / CURRENT
    try:
        candidates = [link.resolve(strict=True)] if link.is_symlink() or link.is_dir() else list(folder.iterdir())
    except OSError:
        return None
    whole = [seen for candidate in candidates if (seen := _whole(candidate)) is not None]
    return max(whole, key=lambda seen: (seen[2], seen[0]), default=None)


def _whole(folder: Path) -> Seen | None:
    """What is seen of `folder` if every file that its manifest lists is there."""
    file = folder / MANIFEST_FILE
    try:
        found = file.stat()
        document: object = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None
    files = cast("Message", document).get("files") if isinstance(document, dict) else None
    if not isinstance(files, dict) or not all((folder / name).is_file() for name in cast("Message", files)):
        return None
    return (str(folder), found.st_size, found.st_mtime_ns)


def first_place(folder: Path, place: Place) -> tuple[Place, Seen | None]:
    """What to serve at the start: the folder's artefact where it has one, else `place`."""
    found = look(folder)
    if found is None:
        return place, None
    return replace(place, folder=found[0], manifest_sha256=None, release=place.release or Path(found[0]).name), found
