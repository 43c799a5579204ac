"""The pace of the rehearsal's waiting: declared intervals pass `rate` times as fast.

Baking a canary for five minutes would make nobody wait here, so alarm periods, baking and termination waits are all
shortened by one factor; two of them keep their proportion. What a container does takes the time that it takes.
"""

import threading

DEFAULT_RATE = 60.0
"""A declared minute passes in a second."""


class Clock:
    """Turns declared seconds into seconds of this machine."""

    def __init__(self, rate: float = DEFAULT_RATE) -> None:
        self.rate = rate

    @property
    def rate(self) -> float:
        """How many declared seconds pass in one."""
        return self._rate

    @rate.setter
    def rate(self, rate: float) -> None:
        if not 1 <= rate <= 100_000:
            raise ValueError(f"a clock rate of {rate:g}; expected a number from 1 to 100000")
        self._rate = rate

    def real(self, declared_s: float) -> float:
        """Seconds that `declared_s` declared ones take here."""
        return declared_s / self._rate

    def wait(self, declared_s: float, given_up: threading.Event) -> bool:
        """Let declared seconds pass; True when `given_up` was set meanwhile."""
        return given_up.wait(self.real(declared_s))
