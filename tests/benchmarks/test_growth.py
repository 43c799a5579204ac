"""What is called linear, and what is computed from the figures."""

import pytest

from benchmarks.growth import Measurement, growth, verdicts
from benchmarks.growth_program import Figures, Run


def test_a_line_has_its_slope_and_exponent_one_a_square_has_two() -> None:
    line = growth([10, 100, 1000], [25, 205, 2005])
    assert (line.per_unit, line.r_squared) == (pytest.approx(2), pytest.approx(1))
    assert line.linear
    square = growth([10, 100, 1000], [100, 10_000, 1_000_000])
    assert square.exponent == pytest.approx(2)
    assert not square.linear


def measurement(models: int, seconds: float) -> Measurement:
    run = Run(resources=128 + 60 * models, seconds=seconds, checkpoint_bytes=6000 * models)
    return Measurement(models=models, scope="stack", figures=Figures(runs=[run], memory_bytes=100_000 * run.resources))


def test_what_does_not_grow_in_proportion_is_said() -> None:
    lines = verdicts([measurement(1, 2.0), measurement(10, 8.0), measurement(100, 700.0)])
    assert [("NOT linear" in line) for line in lines] == [False, True, False]
    assert "program time by resources" in lines[1]


def test_an_up_is_as_slow_as_the_engine_was_seen_to_be() -> None:
    def one_stack(resources: int) -> Measurement:
        run = Run(resources=resources, seconds=1, checkpoint_bytes=1000)
        return Measurement(models=1, scope="stack", figures=Figures(runs=[run], memory_bytes=1))

    assert one_stack(100).engine_seconds == pytest.approx(5)
    assert one_stack(1000).engine_seconds == pytest.approx(67)
    assert one_stack(3000).engine_seconds > 300
