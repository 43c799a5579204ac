"""The default front's connection without sockets: what it reads, how it answers, and when it loses patience."""

import gc
import json
from collections.abc import Callable

import pytest

from serving.core.engine import Engine
from serving.core.service import Service
from tests.serving.http.harness import HOLD, Bench, get, post

CHUNKED = b"POST /invocations HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_requests_of_one_turn_are_answered_in_one_write() -> None:
    bench = Bench()
    bench.read(b"".join(post(b"%d" % i) for i in range(5)))
    assert [answer.body for answer in bench.answers()] == [b"0", b"1", b"2", b"3", b"4"]
    assert len(bench.transport.written) == 1


def test_a_lone_answer_is_written_in_its_turn() -> None:
    bench = Bench()
    bench.read(post(b"1"), post(b"1"), post(b"1"))
    assert len(bench.transport.written) == 3


def test_an_answer_waits_for_the_one_before() -> None:
    bench = Bench()
    bench.read(post(HOLD), post(b"2"), get("/shows"))
    assert bench.output == b""
    bench.engine.release()
    bench.clock.turn()
    assert [answer.body[:8] for answer in bench.answers()] == [HOLD, b"2", b'{"query"']


def test_a_head_that_is_repeated_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    bench.read(post(b"1"))
    monkeypatch.setattr("serving.http.memory.parse_head", None)
    bench.read(post(b"2"), post(b"3")[:-1], b"3")
    assert [answer.body for answer in bench.answers()] == [b"1", b"2", b"3"]


def test_a_remembered_head_takes_no_more_than_its_body() -> None:
    bench = Bench()
    bench.read(post(b"1"), post(b"2") + post(b"3"), post(b"4") + post(b"5")[:20], post(b"5")[20:])
    assert [answer.body for answer in bench.answers()] == [b"1", b"2", b"3", b"4", b"5"]


def test_answers_tell_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    bench.read(post(b"1"))
    monkeypatch.setattr("time.time", lambda: 60.0)
    bench.later(0.5)
    bench.read(post(b"1"))
    assert bench.answers()[1].headers["date"] == "Thu, 01 Jan 1970 00:01:00 GMT"


def test_remembered_heads_do_not_pile_up() -> None:
    bench = Bench()
    bench.read(get("/shows"), CHUNKED + b"0\r\n\r\n", post(b"1", "Padding: " + "x" * 3000))
    assert bench.shared.known_heads == {}
    for i in range(1100):
        bench.read(post(b"1", f"Padding: {i}"))
    assert 0 < len(bench.shared.known_heads) <= 1024


def test_a_limit_that_shrinks_holds_for_remembered_heads() -> None:
    bench = Bench()
    bench.read(post(b"1" * 500))
    bench.engine.service.spec.serving.max_body_bytes = 100
    bench.later(0.5)
    bench.read(post(b"1" * 500))
    assert [answer.status for answer in bench.answers()] == [200, 413]


def test_only_so_many_requests_of_a_connection_wait() -> None:
    bench = Bench(pipelined=4)
    bench.read(b"".join(post(HOLD + b"%d" % i) for i in range(20)))
    assert len(bench.engine.calls) == 4
    assert not bench.transport.reading
    while len(bench.engine.calls) < 20:
        before = len(bench.engine.calls)
        bench.engine.release()
        bench.clock.turn()
        assert before < len(bench.engine.calls) <= before + 4
    bench.engine.release()
    bench.clock.turn()
    assert bench.transport.reading
    assert [answer.body for answer in bench.answers()] == [HOLD + b"%d" % i for i in range(20)]


def test_reading_pauses_however_the_requests_come() -> None:
    bench = Bench(pipelined=4)
    for i in range(4):
        bench.read(post(HOLD + b"%d" % i))
    assert not bench.transport.reading


def test_a_caller_that_does_not_read_gets_no_more_and_is_cut() -> None:
    bench = Bench(write_seconds=20)
    bench.read(post(b"1"))
    bench.connection.pause_writing()
    assert not bench.transport.reading
    bench.later(19)
    assert not bench.transport.closed
    bench.connection.resume_writing()
    assert bench.transport.reading
    bench.read(post(b"2"))
    bench.connection.pause_writing()
    bench.later(21)
    assert bench.transport.aborted


def test_an_answer_that_comes_while_the_caller_does_not_read_changes_nothing() -> None:
    bench = Bench()
    bench.read(post(HOLD))
    bench.connection.pause_writing()
    bench.engine.release()
    bench.clock.turn()
    assert not bench.transport.reading
    bench.connection.resume_writing()
    assert bench.transport.reading


def test_what_was_read_before_a_pause_is_answered_after_it() -> None:
    bench = Bench()
    bench.connection.pause_writing()
    bench.connection.data_received(post(b"1") + post(b"2"))
    bench.clock.turn()
    assert bench.engine.calls == []
    bench.connection.resume_writing()
    bench.clock.turn()
    assert [answer.body for answer in bench.answers()] == [b"1", b"2"]


@pytest.mark.parametrize(
    ("sent", "word", "seconds"),
    [(b"POST /invocations HT", "headers", 10), (post(b"12345")[:-1], "body", 20), (CHUNKED + b"5\r\n1", "body", 20)],
)
def test_a_slow_request_is_told_so_and_closed(sent: bytes, word: str, seconds: int) -> None:
    bench = Bench()
    bench.read(post(b"1"))
    bench.later(60)
    bench.read(sent)
    bench.later(seconds - 1)
    bench.read(b" " if word == "body" and b"chunked" in sent else b"")
    assert len(bench.answers()) == 1
    bench.later(2)
    answer = bench.answers()[-1]
    assert (answer.status, answer.error["code"], answer.headers["connection"]) == (408, "timeout", "close")
    assert word in answer.error["message"]
    assert bench.transport.half_closed
    bench.later(3)
    assert bench.transport.closed


def test_bytes_that_trickle_do_not_lengthen_the_time() -> None:
    bench = Bench(head_seconds=10)
    for byte in post(b"1")[:40]:
        bench.read(bytes([byte]))
        bench.later(0.5)
        if bench.output:
            break
    assert bench.answers()[0].status == 408
    assert bench.clock.now - 1000 < 11


def test_a_connection_without_a_request_is_closed_silently() -> None:
    bench = Bench(idle_seconds=75)
    bench.later(74)
    assert not bench.transport.closed
    bench.read(post(b"1"))
    bench.later(74)
    assert not bench.transport.closed
    bench.later(2)
    assert bench.transport.closed
    assert len(bench.answers()) == 1


def test_a_caller_is_not_blamed_for_our_slowness() -> None:
    bench = Bench()
    bench.read(post(HOLD))
    for _ in range(200):
        bench.later(1)
    bench.engine.release()
    bench.clock.turn()
    assert [answer.body for answer in bench.answers()] == [HOLD]
    assert not bench.transport.closed


def test_a_caller_that_closed_its_sending_half_is_answered_what_is_ready() -> None:
    bench = Bench()
    bench.connection.data_received(post(b"1") + post(b"2"))
    assert bench.connection.eof_received()
    bench.clock.turn()
    assert [answer.body for answer in bench.answers()] == [b"1", b"2"]
    assert bench.transport.closed


def test_a_caller_that_closed_does_not_wait_in_the_queue() -> None:
    bench = Bench()
    bench.read(post(b"1"), post(HOLD))
    assert bench.connection.eof_received()
    bench.clock.turn()
    assert bench.engine.cancelled == [HOLD]
    assert bench.transport.closed
    assert bench.connection.eof_received() is False


@pytest.mark.parametrize("sent", [b"POST /invoc", post(b"12345")[:-2], CHUNKED + b"5\r\n123"])
def test_half_a_request_is_never_answered_as_a_whole_one(sent: bytes) -> None:
    bench = Bench()
    bench.read(sent)
    bench.connection.eof_received()
    bench.clock.turn()
    (answer,) = bench.answers()
    assert (answer.status, answer.error["code"]) == (400, "malformed_request")
    assert "before the request was complete" in answer.error["message"]
    assert bench.engine.calls == []
    assert bench.transport.closed


def test_a_lost_connection_leaves_the_queue() -> None:
    bench = Bench()
    assert bench.counts.open == 1
    bench.read(post(HOLD), post(HOLD + b"2"))
    bench.connection.connection_lost(ConnectionResetError())
    assert bench.engine.cancelled == [HOLD, HOLD + b"2"]
    assert (bench.counts.open, bench.shared.connections) == (0, set())


def test_one_empty_line_before_a_request_is_forgiven() -> None:
    bench = Bench()
    bench.read(post(b"1") + b"\r\n" + post(b"2"), b"\r", b"\n", post(b"3"))
    assert [answer.body for answer in bench.answers()] == [b"1", b"2", b"3"]


def test_an_offer_of_another_protocol_is_passed_over() -> None:
    """java.net.http offers h2c with every first request, bodies included."""
    bench = Bench()
    bench.read(
        post(b"[1]", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEA") + post(b"2")
    )
    assert [answer.body for answer in bench.answers()] == [b"[1]", b"2"]


def test_a_caller_with_http_1_0_may_keep_its_connection() -> None:
    bench = Bench()
    bench.read(post(b"1", "Connection: keep-alive", version="1.0"), get("/shows").replace(b"1.1", b"1.0"))
    first, second = bench.answers()
    assert (first.headers["connection"], second.headers["connection"]) == ("keep-alive", "close")
    assert bench.transport.closed


def test_nothing_is_answered_behind_the_last_answer() -> None:
    bench = Bench()
    bench.read(post(b"1", "Connection: close") + post(b"2"), post(b"3"))
    assert [answer.body for answer in bench.answers()] == [b"1"]
    assert len(bench.engine.calls) == 1


def test_100_continue_keeps_its_place() -> None:
    bench = Bench()
    waiting = post(b"12", "Expect: 100-Continue")
    bench.read(post(HOLD) + waiting[:-2])
    assert bench.output == b""
    bench.engine.release()
    bench.clock.turn()
    bench.read(b"12", waiting)
    assert [answer.status for answer in bench.answers()] == [200, 100, 200, 200]


def test_while_stopping_the_last_answer_says_so() -> None:
    bench = Bench()
    bench.read(post(HOLD) + post(HOLD))
    bench.shared.stopping = True
    bench.engine.release()
    bench.clock.turn()
    first, second = bench.answers()
    assert ("connection" in first.headers, second.headers["connection"]) == (False, "close")
    assert bench.transport.closed


def test_while_stopping_only_what_is_idle_is_closed() -> None:
    bench = Bench()
    half, half_transport = bench.connect()
    half.data_received(post(b"12")[:-1])
    bench.shared.stopping = bench.shared.closing = True
    bench.later(0.5)
    assert bench.transport.closed
    assert not half_transport.closed
    half.data_received(b"2")
    bench.clock.turn()
    assert b"connection: close" in half_transport.written[0]
    assert half_transport.closed


def test_requests_leave_nothing_for_the_collector(service: Service, car: dict[str, object]) -> None:
    """A circle of references in every request would have the collector run all the time."""

    def make(call_soon: Callable[..., object]) -> Engine:
        engine = Engine(call_soon)
        engine.replace(service)
        return engine

    bench = Bench(make)
    requests = [post(json.dumps(car).encode()), post(b"[]"), get("/shows"), post(b"1", path="/nowhere")]
    bench.read(*requests)
    left: list[int] = []
    for _ in range(3):
        gc.collect()
        gc.disable()
        try:
            bench.read(*requests * 50)
            left.append(gc.collect())
        finally:
            gc.enable()
    assert min(left) < 20, "other threads leave something now and then, requests would each time"
    assert [answer.status for answer in bench.answers()] == [200, 400, 200, 404] * 151
