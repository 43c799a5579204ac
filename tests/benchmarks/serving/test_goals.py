"""Which figures meet the goals, and what is said of those that were not measured."""

from dataclasses import replace

import pytest

from benchmarks.serving.figures import Figures, Round
from benchmarks.serving.goals import Verdict, unmet, verdicts

ROUND = Round(
    start_s=1.0,
    one_row=1000,
    p50=400,
    p99=700,
    rows_256=100,
    alone=200,
    resident=90e6,
    cpu_one=12,
    cpu_256=150,
    failed=0,
)


def figures(**one_row: float) -> Figures:
    """Three rounds of each server, the middle one with these requests a second."""
    return Figures(
        rounds={
            name: [replace(ROUND, one_row=rate * factor) for factor in (0.5, 1, 3)] for name, rate in one_row.items()
        }
    )


def told(found: Figures, what: str, goal: str = "") -> Verdict:
    (verdict,) = [each for each in verdicts(found) if each.what == what and goal in each.goal]
    return verdict


def test_nothing_measured_is_neither_met_nor_missed() -> None:
    listed = verdicts(Figures())
    assert len(listed) == 16
    assert {verdict.met for verdict in listed} == {None}
    assert {verdict.seen for verdict in listed} == {"not measured"}
    assert unmet(listed) == []


def test_ours_is_held_against_the_best_of_the_model_servers() -> None:
    found = figures(protocol=40_000, litserve=1000, mlserver=1999, mlflow=900, bentoml=800)
    verdict = told(found, "one row, 32 connections", "20 ×")
    assert verdict.met is True
    assert "mlserver" in verdict.goal
    assert verdict.seen == "40,000/s, 20.0 ×"
    assert told(figures(protocol=39_000, mlserver=2000), "one row, 32 connections", "20 ×").met is False


def test_a_peer_that_is_missing_is_named() -> None:
    verdict = told(figures(protocol=40_000, litserve=1000, bentoml=500), "one row, 32 connections", "20 ×")
    assert "without mlflow, mlserver" in verdict.goal


def test_the_latency_of_one_connection_is_below_every_peer_or_not() -> None:
    found = figures(protocol=1, starlette=1, asgi=1)
    assert told(found, "one connection, p50").met is False
    found.rounds["protocol"] = [replace(ROUND, alone=199)]
    found.rounds["asgi"] = [replace(ROUND, alone=10)]
    verdict = told(found, "one connection, p50")
    assert verdict.met is True
    assert verdict.seen == "0.20 ms; best peer starlette 0.20 ms, in Python starlette 0.20 ms"


@pytest.mark.parametrize(("p99", "met"), [(800.0, True), (801.0, False)])
def test_the_spread_at_32_connections(p99: float, met: bool) -> None:
    found = Figures(rounds={"protocol": [replace(ROUND, p99=p99)]})
    assert told(found, "32 connections").met is met


def test_binary_formats_are_held_against_robyn_by_the_better_of_them() -> None:
    found = figures(robyn=1)
    found.own["formats"] = {"JSON": 130, "CSV": 80, "Arrow IPC": 350, "raw tensor": 361}
    assert told(found, "256 rows, raw tensor").met is True
    assert told(found, "256 rows, CSV").met is False
    found.own["formats"] |= {"raw tensor": 359, "CSV": 90}
    assert told(found, "256 rows, raw tensor").met is False
    assert told(found, "256 rows, CSV").met is True


OVERLOAD: dict[str, float] = {
    "capacity": 4000,
    "sent a second": 12_000,
    "p99 at capacity": 50_000,
    "p99 accepted": 75_000,
    "accepted a second": 3500,
    "p99 refused": 9000,
    "max refused": 12_000,
    "refused": 8500,
    "others": 0,
}


@pytest.mark.parametrize(
    ("changed", "kept", "refused"),
    [
        ({}, True, True),
        ({"p99 accepted": 75_001}, False, True),
        ({"p99 refused": 50_001}, True, False),
        ({"others": 1}, True, False),
        ({"refused": 0}, True, False),
    ],
)
def test_overload(changed: dict[str, float], kept: bool, refused: bool) -> None:
    found = Figures(own={"overload": OVERLOAD | changed})
    assert told(found, "3 × overload, 256 rows, 512 callers", "accepted").met is kept
    assert told(found, "3 × overload, 256 rows, 512 callers", "503").met is refused


def test_memory_that_grows_is_seen() -> None:
    still: dict[str, float] = {"resident": 117e6, "proportional": 80e6, "growth": 4096}
    assert told(Figures(own={"memory": still}), "200,000 requests").met is True
    assert told(Figures(own={"memory": still | {"growth": 2e6}}), "200,000 requests").met is False
    assert told(Figures(own={"memory": still | {"resident": 151e6}}), "resident memory after load").met is False


def test_an_open_loop_that_could_not_keep_its_schedule_meets_nothing() -> None:
    seen: dict[str, float] = {"capacity": 1, "p50": 100, "p99": 400, "unsent": 0}
    assert told(Figures(own={"steady": seen}), "open loop at 50 % of capacity").met is True
    assert told(Figures(own={"steady": seen | {"unsent": 1}}), "open loop at 50 % of capacity").met is False
