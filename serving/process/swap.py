"""Putting a model in the place of another one, on all workers or on none.

Two phases: every worker loads, checks and tries the new model beside the one that serves; when all have, all are told
to take it, which is one assignment between two requests. Any failure before that leaves the old one everywhere. While
a swap is under way no worker is started, so that each starts with what all have. Standard library only.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, cast

from serving.observe import shared
from serving.process.channel import Message
from serving.process.places import Place, Places
from serving.process.slot import Slot

PREPARE_SECONDS: Final = 120.0
COMMIT_SECONDS: Final = 5.0


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a swap."""

    done: bool
    reason: str = ""
    """Why not."""
    again: bool = False
    """Whether it is only that the moment was wrong."""
    about: Message
    """The model that serves now: model, release, manifest_sha256, seconds that loading it took."""


Done = Callable[[Outcome], None]


class Swaps:
    """One swap at a time; `places` is what serves, and what a new worker loads."""

    def __init__(self, places: Places, slots: Sequence[Slot], clock: Callable[[], float] = time.monotonic) -> None:
        self.places = places
        self._slots = slots
        self._clock = clock
        self._place: Place | None = None
        self._done: Done | None = None
        self._waiting: set[int] = set()
        self._committing = False
        self._until = 0.0
        self._number = 0
        self._about: Message = {}

    @property
    def busy(self) -> bool:
        """Whether a swap is under way."""
        return self._place is not None

    def request(self, place: Place, done: Done, *, other_model: bool = False) -> None:
        """Put `place` where the variant of its name is; `done` is called with the outcome, now or later."""
        if self.busy:
            done(
                Outcome(done=False, reason="another swap is under way; try again when it is done", again=True, about={})
            )
            return
        if self.places.find(place.name) is None:
            known = ", ".join(repr(known.name) for known in self.places.models)
            done(Outcome(done=False, reason=f"there is no variant {place.name!r}; there are {known}", about={}))
            return
        if not all(slot.ready for slot in self._slots):
            done(Outcome(done=False, reason="a worker is being started; try again in a moment", again=True, about={}))
            return
        self._number += 1
        self._place, self._done, self._committing = place, done, False
        self._tell(
            {
                "do": "prepare",
                "swap": self._number,
                "name": place.name,
                "folder": place.folder,
                "manifest_sha256": place.manifest_sha256,
                "release": place.release,
                "other_model": other_model,
            },
            PREPARE_SECONDS,
        )

    def heard(self, slot: Slot, message: Message) -> None:
        """A worker answered: prepared, refused or committed."""
        if self._place is None or message.get("swap") != self._number:
            return
        if message["event"] == "refused":
            self._abort(str(message["reason"]))
            return
        self._waiting.discard(slot.number)
        if message["event"] == "prepared":
            self._about = cast("Message", message["about"])
        self._advance()

    def lost(self, slot: Slot) -> None:
        """A worker ended. Before all are prepared that ends the swap; afterwards its successor loads the new model."""
        if self._place is None:
            return
        if not self._committing:
            self._abort(f"worker {slot.number} ended while it prepared the model")
            return
        self._waiting.discard(slot.number)
        self._advance()

    def tick(self) -> None:
        """End what takes too long; a worker that does not take the model it prepared is replaced."""
        if self._place is None or self._clock() < self._until:
            return
        if not self._committing:
            self._abort(f"the model was not loaded within {PREPARE_SECONDS:g} s")
            return
        for slot in self._slots:
            if slot.number in self._waiting and slot.pid:
                slot.kill()
        self._waiting.clear()
        self._advance()

    def cancel(self, reason: str) -> None:
        """Give up what is under way."""
        if self._place is not None and not self._committing:
            self._abort(reason)

    def _advance(self) -> None:
        if self._waiting or self._place is None:
            return
        if not self._committing:
            self._committing = True
            self.places = self.places.put(self._place)
            self._tell({"do": "commit", "swap": self._number}, COMMIT_SECONDS)
            return
        self._slots[0].cells[shared.SWAPS] += 1
        self._finish(Outcome(done=True, about=self._about))

    def _abort(self, reason: str) -> None:
        self._tell({"do": "abort", "swap": self._number}, 0.0)
        self._slots[0].cells[shared.SWAPS_FAILED] += 1
        self._finish(Outcome(done=False, reason=reason, about={}))

    def _finish(self, outcome: Outcome) -> None:
        done, self._done, self._place = self._done, None, None
        self._waiting.clear()
        if done is not None:
            done(outcome)

    def _tell(self, message: Message, seconds: float) -> None:
        self._until = self._clock() + seconds
        self._waiting = {slot.number for slot in self._slots if slot.pid}
        for slot in self._slots:
            if slot.channel is not None:
                slot.channel.send(message)
