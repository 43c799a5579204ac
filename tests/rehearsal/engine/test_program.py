"""What a program leaves behind in the process that ran it: here, how that process hears signals."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rehearsal.engine.deployment import Deployment
from rehearsal.engine.program import run_program
from rehearsal.engine.project import load_project
from rehearsal.engine.providers import ProviderTable
from rehearsal.engine.state import StackStore
from rehearsal.engine.storage import storage_at

# Declares nothing, so that no AWS is asked, and ends when the signal that it sends was heard.
SIGNALLED = """
import os
import signal
import time

os.kill(os.getpid(), signal.SIGTERM)
while signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
    time.sleep(0.01)
"""


@pytest.fixture
def ending() -> Iterator[list[int]]:
    """SIGTERM begins an ending that no Ctrl-C is to end, as `cli/ending.py` has it; the signals that began one."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}
    heard: list[int] = []

    def begin(number: int, _frame: object) -> None:
        heard.append(number)
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in numbers:
        signal.signal(number, begin)
    yield heard
    for number, handler in before.items():
        signal.signal(number, handler)


def deployment_in(folder: Path, state_file: Path) -> Deployment:
    store = StackStore(storage_at(state_file))
    return Deployment(
        stack="local",
        project="tiny",
        folder=folder,
        store=store,
        providers=ProviderTable({}, store, {}),
        preview=True,
        progress=lambda _event: None,
    )


def test_ctrl_c_stays_ignored_where_another_signal_began_the_ending(
    project: Callable[[str], Path], state_file: Path, ending: list[int]
) -> None:
    folder = project(SIGNALLED)
    with pytest.raises(KeyboardInterrupt):
        run_program(load_project(folder, "local"), deployment_in(folder, state_file))
    assert ending == [signal.SIGTERM]
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN, "the program's end armed it again"
    os.kill(os.getpid(), signal.SIGINT)
    assert ending == [signal.SIGTERM]
