"""A worker's own life without a process: how the time of its end is shared out, by a clock of the test's own."""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest

from serving.container import Container
from serving.observe import shared
from serving.observe.observation import Observation
from serving.process import worker as module
from serving.process.channel import channels
from serving.process.listening import listen
from serving.process.places import Place, Places
from serving.process.slot import Slot
from serving.process.supervisor import GRACEFUL_SECONDS
from serving.process.worker import Seat, Worker

SAGEMAKER_SECONDS = 30.0
"""From SIGTERM to SIGKILL ("Use Your Own Inference Code with Hosting Services")."""
NAMING_SECONDS = 5.0
"""What captured traffic is given to be written and named."""


class Front:
    """Takes all its time to stop, and `more`."""

    def __init__(self, clock: list[float], more: float) -> None:
        self._clock, self._more = clock, more

    async def start(self, sockets: object) -> None:
        """Nobody comes."""

    async def stop(self, seconds: float) -> None:
        self._clock[0] += seconds + self._more


@pytest.fixture
def end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], tuple[float, float]]:
    """Seconds after which the front of a worker had ended, and what was left for the observation then."""

    def serve(more: float) -> tuple[float, float]:
        clock, left, close = [100.0], list[float](), Observation.close
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock[0]))
        monkeypatch.setattr(module, "create_front", lambda *_, **__: Front(clock, more))
        monkeypatch.setattr(Observation, "close", lambda self, seconds: (left.append(seconds), close(self, 1.0)))
        with ExitStack() as stack:
            (listener,) = listen("127.0.0.1", 0, 1)
            stack.callback(listener.close)
            ours, theirs = channels()
            stack.callback(ours.close)
            stack.callback(theirs.close)
            memory = shared.allocate(1)
            slot = Slot(0, listener, shared.region(memory, 0))
            container = Container(model_dir=tmp_path, host="127.0.0.1", port=8080, manifest_sha256=None, release="")
            seat = Seat(container=container, threads=1, busy_poll_seconds=0, memory=memory, slot=slot, channel=theirs)
            # A model that is not there ends the worker as SIGTERM would.
            missing = Places(models=(Place(name="", folder=str(tmp_path / "none")),))
            assert asyncio.run(Worker(seat).serve(missing)) == 1
        return clock[0] - 100.0, left[0]

    return serve


@pytest.mark.parametrize("more", [0.0, 1.0])
def test_a_stop_of_full_length_leaves_time_to_name_captured_traffic(
    end: Callable[[float], tuple[float, float]], more: float
) -> None:
    """uvicorn takes up to a second more than it is given."""
    stopped, left = end(more)
    assert left >= NAMING_SECONDS
    assert stopped + left < GRACEFUL_SECONDS < SAGEMAKER_SECONDS


def test_a_front_that_was_held_up_takes_its_time_from_what_is_left(end: Callable[[float], tuple[float, float]]) -> None:
    stopped, left = end(4.0)
    assert stopped + left < GRACEFUL_SECONDS
