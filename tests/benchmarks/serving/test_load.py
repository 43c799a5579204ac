"""What the load generators print, read."""

import pytest

from benchmarks.serving.load import LoadError, parse_scheduled, parse_wrk

WRK = """Running 1s test @ http://127.0.0.1:8080/invocations
  1 threads and 32 connections
{"requests":5000,"seconds":2.000000,"refused":3,"broken":1,"p50":380.0,"p99":900.5,"max":2000.0}
"""
SCHEDULED = """{"seconds":2.0,"sent":90,"unsent":10,"answered":90,"errors":1,"reconnects":0,"held":0.004,"statuses":{
"200":{"count":60,"due":{"p50":5.0},"sent":{"p50":4.0}},"503":{"count":30,"due":{"p50":2.0},"sent":{"p50":1.0}}}}"""


def test_the_last_line_of_wrk_is_read() -> None:
    found = parse_wrk(WRK)
    assert (found.requests_per_s, found.sent, found.p50, found.p99, found.failed) == (2500, 5000, 380, 900.5, 4)


def test_a_schedule_tells_statuses_and_both_latencies_apart() -> None:
    found = parse_scheduled(SCHEDULED.replace("\n", ""))
    assert found.counts == {200: 60, 503: 30}
    assert (found.due[200]["p50"], found.own[200]["p50"], found.own[503]["p50"]) == (5, 4, 1)
    assert (found.sent, found.unsent, found.errors, found.held) == (90, 10, 1, 0.004)


@pytest.mark.parametrize("output", ["", "connect: Connection refused\n"])
def test_what_is_no_figure_is_an_error_with_what_was_said(output: str) -> None:
    with pytest.raises(LoadError, match=r"nothing|Connection refused"):
        parse_wrk(output)
