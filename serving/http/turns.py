"""How long one turn of the event loop may go on, for all connections together, and who comes first in the next one.

A request to the engine waits for the model, and the engine lets in only so many. What is answered at once has no such
bound: pages, refusals, and the decoding of whatever was read. One read can hold thousands of those, and one turn reads
every socket that has something; whoever is still at it after a few milliseconds goes on in the next turn. So timers,
the heartbeat among them, and other callers get theirs.

To find what is wrong with a large body takes longer than a turn, and a flood of those would keep everybody else in
line. So there are two lines, each first come, first served. Who was refused for what it sent last stands in
the one behind, and so does who sends much and was never heard before, or a flood would come by new connections. That
line moves in one turn of several: in those between, sockets are read, connections accepted and the model run.
"""

import time
from collections import deque
from collections.abc import Callable
from typing import Final

_TURN_SECONDS: Final = 0.005
_TURNS_BETWEEN: Final = 2
"""Turns in which nobody moves who stands behind. With sixteen, the new callers of a busy server waited 150 ms."""
MUCH: Final = 16_384
"""A body below that size is decoded in no time worth looking at."""


def stands_behind(trusted: bool | None, size: int) -> bool:  # noqa: FBT001 - one state of a caller
    """Whether a caller that sends `size` bytes waits behind others; `trusted` as in `Answering`."""
    return trusted is False or (trusted is None and size >= MUCH)


class Turns:
    """The time of the present turn, and who waits for the next one."""

    __slots__ = ("_behind", "_between", "_call_soon", "_clock", "_until", "_waiting", "crowded", "over")

    def __init__(
        self, call_soon: Callable[[Callable[[], None]], object], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._call_soon: Final = call_soon
        self._clock: Final = clock  # the loop's own clock stands still during a turn
        self._waiting: Final[deque[Callable[[], None]]] = deque()
        self._behind: Final[deque[Callable[[], None]]] = deque()
        self._between = 0
        """Turns until the line behind moves again."""
        self._until = 0.0
        """When this turn is over; 0 where nothing was asked in it."""
        self.over = False
        """Whether this turn's time is known to be spent."""
        self.crowded = False
        """Whether somebody stands behind whom others who belong there must not pass."""

    def spent(self) -> bool:
        """Whether the time of this turn is spent; it begins when this is asked first."""
        now = self._clock()
        if not self._until:
            self._until = now + _TURN_SECONDS
            self._call_soon(self._next)
        elif now >= self._until:
            self.over = True
        return self.over

    def wait(self, go_on: Callable[[], None], *, behind: bool = False) -> None:
        """Have `go_on` called in the next turn that has time for it. Only where `spent` was asked in this one."""
        if behind:
            self._behind.append(go_on)
            self.crowded = True
        else:
            self._waiting.append(go_on)

    def _next(self) -> None:
        self._until, self.over = 0.0, False
        waiting, behind = self._waiting, self._behind
        if not waiting and not behind:
            return
        self.spent()
        while waiting and not self.over:
            waiting.popleft()()
        if behind:
            self._between -= 1
            if self._between < 0:
                self._move_behind()

    def _move_behind(self) -> None:
        """Let those go on who stand behind, with a time of their own, so that they are not forgotten."""
        behind = self._behind
        self._until, self.over = self._clock() + _TURN_SECONDS, False
        self.crowded = False
        self._between = _TURNS_BETWEEN
        try:
            behind.popleft()()
            while behind and not self.spent():
                behind.popleft()()
        finally:
            self.crowded = bool(behind)
