"""Busy polling: an event loop that stays awake for a moment after it had work, and looks for more instead of sleeping.

To wake a sleeping process takes the kernel longer (30 to 60 µs, on a virtual machine more) than a small model takes to
answer. Go's scheduler, seastar and DPDK poll for the same reason. Here it is worth the processor's time only where
requests follow one another closely, so it is given up where they do not: after a few moments in which nobody came, one
in many turns tries again. Nor is it of use where requests come together: whoever sleeps a little finds more of them to
answer in one run.
"""

import time
from collections.abc import Callable
from typing import Final

_PATIENCE: Final = 8
"""So many moments in a row in which nobody came, and polling pauses;"""
_PAUSE: Final = 64
"""so many turns later one moment is tried again. At 100 µs that is 1.6 µs a turn for nothing."""

Callback = Callable[[], None]
CallSoon = Callable[[Callback], object]


class BusyPolling:
    """Stands in for an event loop's `call_soon`, for the one who asks for a turn whenever there is work."""

    def __init__(
        self,
        call_soon: CallSoon,
        seconds: float,
        alone: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Stay awake for `seconds` after each turn that had, as `alone` says, a single request."""
        self._call_soon: Final = call_soon
        self._seconds: Final = seconds
        self._alone: Final = alone
        self._clock: Final = clock
        self._until = self._looked = 0.0
        self._idle_seconds = 0.0
        self._asked = False
        """Whether there was work since the last look."""
        self._polling = False
        self._patience = _PATIENCE
        self._pause = 0

    def __call__(self, callback: Callback) -> None:
        """Have `callback` called in this turn of the event loop, and look for more to do when it has been."""
        self._call_soon(callback)
        self._asked = True
        if self._polling:
            return
        if self._patience <= 0:
            self._pause -= 1
            if self._pause > 0:
                return
        self._polling, self._until = True, 0.0
        self._call_soon(self._poll)

    def idle_seconds(self) -> float:
        """Processor time that was spent awake without work, since this was asked last."""
        spent, self._idle_seconds = self._idle_seconds, 0.0
        return spent

    def _poll(self) -> None:
        """Called once a turn of the loop, which does not sleep while somebody wants to be called."""
        if self._asked:
            self._asked = False
            if self._until:
                self._patience = _PATIENCE
            if not self._alone():
                self._polling = False
                return
            self._looked = self._clock()
            self._until = self._looked + self._seconds
            self._call_soon(self._poll)
            return
        now = self._clock()
        self._idle_seconds += now - self._looked
        self._looked = now
        if now >= self._until:
            self._polling = False
            self._patience -= 1
            self._pause = _PAUSE
            return
        self._call_soon(self._poll)
