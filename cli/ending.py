"""Ending a rehearsal: asked for, or because the command that was bringing it up is interrupted."""

import shutil
import signal
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from cli.output import console
from rehearsal import server

_INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def end(state_dir: Path) -> bool:
    """Stop the rehearsal and everything it runs, and forget its state; False when there was none."""
    running = server.running(state_dir)
    if running is not None:
        running.stop()
    else:
        server.end_left_behind(state_dir)
    existed = state_dir.exists()
    shutil.rmtree(state_dir, ignore_errors=True)
    return running is not None or existed


@contextmanager
def nothing_left_when_interrupted(state_dir: Path) -> Generator[None]:
    """Ctrl-C, SIGTERM or a closed terminal ends what this run started; what ran before it goes on."""
    ran_before = server.running(state_dir) is not None
    # What whoever started us had us ignore, as a shell does for a command in the background, stays ignored.
    previous = {number: signal.getsignal(number) for number in _INTERRUPTS}
    caught = [number for number, handler in previous.items() if handler is not signal.SIG_IGN]

    def interrupt(_number: int, _frame: object) -> None:
        # A second Ctrl-C, of somebody in a hurry, must not end the ending.
        for number in caught:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in caught:
        signal.signal(number, interrupt)
    try:
        yield
    except KeyboardInterrupt:
        if not ran_before:
            end(state_dir)
            console.print("interrupted: the rehearsal is down, nothing is left running")
        raise
    for number in caught:
        signal.signal(number, previous[number])
