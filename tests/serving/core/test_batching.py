import pytest

from serving.core.batching import ServiceTime


def test_the_estimate_learns_both_terms_of_a_run() -> None:
    time = ServiceTime(0.001)
    for number in range(400):
        rows = (1, 4, 16, 64)[number % 4]
        time.learn(rows, 0.0005 + rows * 0.00001)
    assert time.expected(64) == pytest.approx(0.00114, rel=0.1)
    assert time.expected(1) == pytest.approx(0.00051, rel=0.3)


def test_a_machine_that_grew_slower_is_noticed() -> None:
    time = ServiceTime(0.0001)
    for _ in range(60):
        time.learn(8, 0.008)
    assert time.expected(8) == pytest.approx(0.008, rel=0.1)


def test_one_interrupted_run_moves_the_estimate_little() -> None:
    time = ServiceTime(0.0001)
    before = time.expected(1)
    time.learn(1, 1.0)
    assert before < time.expected(1) < 2 * before


def test_rows_within_a_time() -> None:
    time = ServiceTime(0.002)
    assert time.rows_within(0.005) == 4
    assert time.rows_within(0.0001) == 0
