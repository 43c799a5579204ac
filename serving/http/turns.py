"""How long one turn of the event loop may go on, for all connections together.

A request to the engine waits for the model, and the engine lets in only so many. What is answered at once has no such
bound: pages, refusals, and the decoding of whatever was read. One read can hold thousands of those, and one turn reads
every socket that has something; whoever is still at it after a few milliseconds goes on in the next turn. So timers,
the heartbeat among them, and other callers get theirs.
"""

import time
from collections import deque
from collections.abc import Callable
from typing import Final

_TURN_SECONDS: Final = 0.005


class Turns:
    """The time of the present turn, and who waits for the next one: first come, first served."""

    __slots__ = ("_call_soon", "_clock", "_until", "_waiting", "over")

    def __init__(
        self, call_soon: Callable[[Callable[[], None]], object], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._call_soon: Final = call_soon
        self._clock: Final = clock  # the loop's own clock stands still during a turn
        self._waiting: Final[deque[Callable[[], None]]] = deque()
        self._until = 0.0
        """When this turn is over; 0 where nothing was asked in it."""
        self.over = False
        """Whether this turn's time is known to be spent."""

    def spent(self) -> bool:
        """Whether the time of this turn is spent; it begins when this is asked first."""
        now = self._clock()
        if not self._until:
            self._until = now + _TURN_SECONDS
            self._call_soon(self._next)
        elif now >= self._until:
            self.over = True
        return self.over

    def wait(self, go_on: Callable[[], None]) -> None:
        """Have `go_on` called in the next turn that has time for it. Only where `spent` said so."""
        self._waiting.append(go_on)

    def _next(self) -> None:
        self._until, self.over = 0.0, False
        waiting = self._waiting
        if waiting:
            self.spent()
        while waiting and not self.over:
            waiting.popleft()()
