"""Signals as something to read from, so that a loop over sockets hears them at once. Standard library only."""

import signal
import socket
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import Final


class SignalPipe:
    """While it is open, the given signals do nothing but arrive here."""

    def __init__(self, numbers: Sequence[signal.Signals]) -> None:
        self.socket, self._end = socket.socketpair()
        for end in (self.socket, self._end):
            end.setblocking(False)  # noqa: FBT003 - the standard library's own signature
        self._before: Final = {number: signal.signal(number, _nothing) for number in numbers}
        signal.set_wakeup_fd(self._end.fileno(), warn_on_full_buffer=False)

    def received(self) -> Iterator[int]:
        """The numbers of the signals that came since the last time."""
        try:
            yield from self.socket.recv(4096)
        except BlockingIOError:
            return

    def close(self) -> None:
        """Give the signals back to whoever had them."""
        signal.set_wakeup_fd(-1)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self.socket.close()
        self._end.close()


def _nothing(number: int, frame: FrameType | None) -> None:
    """The interpreter writes the number to the pipe; that is all."""
