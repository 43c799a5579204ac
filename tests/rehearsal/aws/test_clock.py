"""Declared seconds become seconds of this machine, and nothing else."""

import threading

import pytest

from rehearsal.aws.clock import Clock


def test_declared_time_passes_at_the_rate() -> None:
    clock = Clock(60)
    assert clock.real(300) == 5
    clock.rate = 600
    assert clock.real(300) == 0.5


@pytest.mark.parametrize("rate", [0, -1, 0.5, float("nan"), 1e9])
def test_a_rate_that_makes_no_sense_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="expected a number from 1 to 100000"):
        Clock(rate)


def test_a_wait_ends_when_it_is_given_up() -> None:
    given_up = threading.Event()
    assert Clock(60_000).wait(60, given_up) is False
    given_up.set()
    assert Clock(1).wait(3600, given_up) is True
