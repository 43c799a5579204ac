"""Which figures meet the goals, and what is said of those that were not measured."""

from dataclasses import replace

import pytest

from benchmarks.serving.figures import Figures, Round
from benchmarks.serving.goals import Verdict, unmet, verdicts
from tests.benchmarks.serving.rounds import ROUND


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
    assert len(listed) == 17
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


def failing(count: int, sent: int, figure: str = "one_row") -> Round:
    return replace(ROUND, sent=ROUND.sent | {figure: sent}, failed=ROUND.failed | {figure: count})


@pytest.mark.parametrize(("failed", "met"), [(40, True), (41, False)])
def test_a_rate_that_counts_failed_requests_is_not_met(failed: int, met: bool) -> None:
    found = figures(mlserver=2000, fastapi=1000, robyn=1000)
    found.rounds["protocol"] = [replace(failing(failed, 40_000), one_row=40_000, p99=800, rows_256=1000)]
    rest = "" if met else "; 41 of 40,000 requests failed"
    for goal in ("20 ×", "FastAPI", "Robyn"):
        assert told(found, "one row, 32 connections", goal).met is met
    assert told(found, "one row, 32 connections", "20 ×").seen == f"40,000/s, 20.0 ×{rest}"
    assert told(found, "32 connections").met is met
    assert told(found, "256 rows (JSON)").met is True, "which had no failures of its own"


def test_a_peer_whose_answers_failed_tells_nothing() -> None:
    found = figures(protocol=40_000)
    found.rounds["mlserver"] = [failing(1000, 1000)]
    verdict = told(found, "one row, 32 connections", "20 ×")
    assert verdict.met is None
    assert verdict.seen.endswith("mlserver: 1,000 of 1,000 requests failed")


OVERLOAD: dict[str, float] = {
    "capacity": 4000,
    "sent a second": 12_000,
    "p99 at capacity": 50_000,
    "refused at capacity": 0.1,
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
        ({"refused at capacity": 0.11}, None, None),
        ({"sent a second": 10_800}, True, True),
        ({"sent a second": 10_799}, None, None),
    ],
)
def test_overload(changed: dict[str, float], kept: bool | None, refused: bool | None) -> None:
    found = Figures(own={"overload": OVERLOAD | changed})
    assert told(found, "3 × overload, 256 rows, 512 callers", "accepted").met is kept
    assert told(found, "3 × overload, 256 rows, 512 callers", "503").met is refused


def test_an_overload_that_was_not_sent_says_so() -> None:
    found = Figures(own={"overload": OVERLOAD | {"capacity": 1000, "sent a second": 1200}})
    verdict = told(found, "3 × overload, 256 rows, 512 callers", "503")
    assert verdict.seen == "1.2 × was sent (1,200/s), at least 2.7 × 1,000/s is needed"


def test_a_figure_from_before_is_read_without_its_new_part() -> None:
    without = {name: value for name, value in OVERLOAD.items() if name != "refused at capacity"}
    assert told(Figures(own={"overload": without}), "3 × overload, 256 rows, 512 callers", "accepted").met is None
    assert (
        told(Figures(own={"steady": {"p50": 100, "p99": 400, "unsent": 0}}), "open loop at 50 % of capacity").met
        is None
    )


def test_memory_that_grows_is_seen() -> None:
    still: dict[str, float] = {"resident": 117e6, "proportional": 80e6, "growth": 4096}
    assert told(Figures(own={"memory": still}), "200,000 requests").met is True
    assert told(Figures(own={"memory": still | {"growth": 2e6}}), "200,000 requests").met is False
    assert told(Figures(own={"memory": still | {"resident": 151e6}}), "resident memory after load").met is False


def test_an_open_loop_that_could_not_keep_its_schedule_meets_nothing() -> None:
    seen: dict[str, float] = {"capacity": 1, "p50": 100, "p99": 400, "unsent": 0, "sent": 1000, "failed": 1}
    seen |= {"held": 0.0, "calm p50": 90, "calm p99": 300, "calm": 0.98}
    assert told(Figures(own={"steady": seen}), "open loop at 50 % of capacity").met is True
    assert told(Figures(own={"steady": seen | {"unsent": 1}}), "open loop at 50 % of capacity").met is False
    verdict = told(Figures(own={"steady": seen | {"failed": 2}}), "open loop at 50 % of capacity")
    assert (verdict.met, verdict.seen.endswith("2 of 1,000 requests failed")) == (False, True)
    verdict = told(Figures(own={"steady": seen | {"held": 0.012}}), "open loop at 50 % of capacity")
    assert verdict.seen.endswith("the machine held the load itself up 1.2 % of the time")


def test_what_the_machine_held_up_is_told_beside_what_it_did_not() -> None:
    seen: dict[str, float] = {"capacity": 1, "p50": 100, "p99": 4000, "unsent": 0, "sent": 1000, "failed": 0}
    seen |= {"held": 0.01, "calm p50": 90, "calm p99": 360, "calm": 0.98}
    every, calm = "open loop at 50 % of capacity", "the same, where the machine let both have their processors"
    assert told(Figures(own={"steady": seen}), every).met is False
    verdict = told(Figures(own={"steady": seen}), calm)
    assert (verdict.met, verdict.seen) == (True, "p50 0.09 ms, p99 0.36 ms, 4.0 ×, 98.0% of the requests")
    assert told(Figures(own={"steady": seen | {"calm p99": 460}}), calm).met is False
    assert told(Figures(own={"steady": seen | {"unsent": 1}}), calm).met is False
    assert told(Figures(own={"steady": seen | {"calm": 0}}), calm).met is None
