"""Statistics of one period, percentiles included."""

import pytest

from rehearsal.aws.cloudwatch.statistics import UnknownStatisticError, percentile, statistic


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Sum", 10), ("Average", 2.5), ("Minimum", 1), ("Maximum", 4), ("SampleCount", 4), ("p50", 2.5), ("p100", 4)],
)
def test_each_statistic(name: str, expected: float) -> None:
    assert statistic(name, [4, 1, 3, 2]) == expected


def test_a_percentile_lies_between_its_neighbours() -> None:
    assert percentile(list(range(101)), 99) == 99
    assert percentile([10.0], 99) == 10
    assert percentile([0.0, 100.0], 99.9) == pytest.approx(99.9)


def test_no_value_has_no_statistic_and_an_unknown_one_is_an_error() -> None:
    assert statistic("p99", []) is None
    with pytest.raises(UnknownStatisticError, match=r"'tm99'.*p0 to p100"):
        statistic("tm99", [])
