"""What a front reports: connections, and refusals that never reach the engine."""

from typing import Protocol


class Observer(Protocol):
    """Where a front reports to; `serving.observe.metrics` has the one that counts."""

    def connections(self, change: int, /) -> None:
        """A connection was opened (+1) or closed (-1)."""
        ...

    def refused(self, status: int, code: str, /) -> None:
        """A request was refused by the front itself."""
        ...


class NoObserver:
    """Reports nowhere."""

    def connections(self, change: int, /) -> None:
        """Nothing is counted."""

    def refused(self, status: int, code: str, /) -> None:
        """Nothing is counted."""
