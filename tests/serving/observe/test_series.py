import pytest

from serving.core.service import Service
from serving.observe import shared
from serving.observe.layout import ROWS
from serving.observe.series import Description, all_series, claim, describe, parse_description


@pytest.fixture
def region() -> shared.Cells:
    """Room for a handful of series."""
    return shared.region(shared.allocate(1), 0)[:2000]


def names(region: shared.Cells) -> list[str]:
    return [parse_description(series.text).release for series in all_series(region)]


def test_a_series_is_found_again_by_what_it_is_of(region: shared.Cells, service: Service) -> None:
    first = claim(region, describe(service, "a"))
    first.cells[ROWS] = 3
    assert claim(region, describe(service, "a")).cells[ROWS] == 3
    assert claim(region, describe(service, "b")).cells[ROWS] == 0
    assert parse_description(next(all_series(region)).text) == describe(service, "a")


def test_the_series_retired_first_makes_room(region: shared.Cells) -> None:
    """One series always serves; forty come and go, each with a longer name than the one before."""
    steady = claim(region, Description(release="steady"))
    steady.activate(0)
    steady.cells[ROWS] = 5
    for number in range(40):
        series = claim(region, Description(release=f"release-{'x' * number * 10}-{number}"))
        assert series.cells[ROWS] == 0
        series.cells[ROWS] = number
        series.activate(number)
        series.retire(number + 0.5)
    assert "steady" in names(region)
    assert f"release-{'x' * 390}-39" in names(region)
    assert claim(region, Description(release="steady")).cells[ROWS] == 5
    assert 3 <= len(names(region)) < 40


def test_without_room_requests_are_answered_all_the_same(region: shared.Cells) -> None:
    for number in range(20):
        series = claim(region, Description(release=str(number)))
        series.activate(number)
        series.cells[ROWS] += 1
        assert series.cells[ROWS] == 1
    assert 0 < len(names(region)) < 20
