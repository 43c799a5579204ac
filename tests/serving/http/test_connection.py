"""The default front's connection without sockets: what it reads, how it answers, and when it loses patience."""

import gc
import json
from collections.abc import Callable
from typing import Any

import pytest

from serving.core.engine import Engine
from serving.core.service import Service
from serving.http import connection
from serving.http.memory import HeadMemory
from tests.serving.http.harness import BUSY, HOLD, VARIANTS, Bench, get, post

CHUNKED = b"POST /invocations HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
Make = Callable[..., Bench]


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


@pytest.mark.parametrize("leaves", [True, False])
def test_a_request_that_was_refused_by_its_head_is_not_refused_again(leaves: bool) -> None:
    """Its body was only to be thrown away: that it never comes changes nothing."""
    bench = Bench(body_seconds=20)
    bench.read(post(b"12345", path="/nope")[:-2])
    if leaves:
        assert bench.connection.eof_received() is False
    else:
        bench.later(21)
        assert bench.transport.closed
    assert [answer.status for answer in bench.answers()] == [404]
    assert bench.counts.refusals == [(404, "not_found")]


def test_who_leaves_behind_a_refused_request_is_still_answered_the_one_before() -> None:
    bench = Bench()
    bench.connection.data_received(post(b"1") + post(b"12345", path="/nope")[:-2])
    assert bench.connection.eof_received()
    bench.clock.turn()
    assert [answer.status for answer in bench.answers()] == [200, 404]
    assert bench.transport.closed


def test_a_lost_connection_leaves_the_queue() -> None:
    bench = Bench()
    assert bench.counts.open == 1
    bench.read(post(HOLD), post(HOLD + b"2"))
    bench.connection.connection_lost(ConnectionResetError())
    assert bench.engine.cancelled == [HOLD, HOLD + b"2"]
    assert (bench.counts.open, bench.shared.connections) == (0, set())


def test_one_connection_too_many_is_told_so() -> None:
    bench = Bench(connections=1)
    bench.shared.most_connections = 1
    first = bench.transport
    bench.connection, bench.transport = bench.connect()
    (answer,) = bench.answers()
    assert (answer.status, answer.error["code"], answer.headers["retry-after"]) == (503, "too_many_connections", "1")
    bench.read(post(b"1"))
    bench.later(3)
    assert bench.transport.closed
    assert bench.engine.calls == []
    assert not first.closed


def test_of_very_many_connections_too_many_few_are_kept_open() -> None:
    """Each holds a file while it is drained, and without files callers are cut without a word."""
    bench = Bench()
    bench.shared.most_connections = 1
    opened = [bench.connect()[1] for _ in range(100)]
    assert all(b"too_many_connections" in transport.written[0] for transport in opened)
    kept = [transport for transport in opened if not transport.closed]
    assert kept == opened[:32]
    assert all(transport.half_closed for transport in kept)


def test_a_refusal_counts_with_its_code() -> None:
    bench = Bench()
    bench.read(post(b"1", "Content-Encoding: br"), post(b"1", "Content-Encoding: gzip"), post(BUSY), b"nonsense")
    codes = [code for _, code in bench.counts.refusals]
    assert codes == ["unsupported_content_encoding", "malformed_encoding", "malformed_request"]
    named = [answer.headers["x-request-id"] for answer in bench.answers() if answer.status != 503]
    assert bench.counts.named == named


def test_a_refusal_whose_head_is_known_keeps_its_name_and_variant() -> None:
    headers = ("X-Request-Id: mine", "X-Amzn-SageMaker-Target-Variant: green")
    slow, gone, broken = Bench(), Bench(), Bench()
    slow.read(post(b"12345", *headers)[:-1])
    slow.later(21)
    gone.read(post(b"12345", *headers)[:-1])
    gone.connection.eof_received()
    gone.clock.turn()
    lines = "\r\n".join(["Host: x", *headers]).encode()
    broken.read(CHUNKED.replace(b"Host: x", lines), b"nonsense\r\n")
    for bench, status in ((slow, 408), (gone, 400), (broken, 400)):
        (answer,) = bench.answers()
        assert (answer.status, answer.headers["x-request-id"]) == (status, "mine")
        assert (bench.counts.named, bench.counts.variants) == (["mine"], ["green"])


@pytest.mark.parametrize("sent", [b"nonsense", get("/shows")[:-2], b"POST"])
def test_a_refusal_whose_head_is_not_known_counts_for_the_default_variant(sent: bytes) -> None:
    bench = Bench()
    named = post(b"1", "X-Request-Id: before", "X-Amzn-SageMaker-Target-Variant: green")
    bench.read(named, sent)
    bench.later(11)
    bench.connection, bench.transport = bench.connect()
    assert (bench.counts.variants, "before" in bench.counts.named) == (["blue"], False)
    bench.shared.most_connections = 1
    bench.connect()
    assert bench.counts.refusals[-1] == (503, "too_many_connections")
    assert bench.counts.variants[-1] == "blue"


class Broken(Exception):
    """What goes wrong in these tests."""


def fails(*_: object, **__: object) -> Any:
    raise Broken


@pytest.mark.parametrize("sent", [post(b"1"), post(BUSY), get("/shows"), post(b"1", "Content-Encoding: gzip")])
def test_an_answer_that_cannot_be_written_is_a_500(
    sent: bytes, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    bench = Bench()
    other, written = bench.connect()
    writer, respond = bench.shared.writer, bench.shared.writer.response
    monkeypatch.setattr(writer, "answer", fails)
    monkeypatch.setattr(
        writer,
        "response",
        lambda response, *more, **options: respond(response, *more, **options) if response.status == 500 else fails(),
    )
    bench.read(sent)
    (answer,) = bench.answers()
    assert (answer.status, answer.error["code"]) == (500, "internal")
    assert bench.counts.refusals[-1] == (500, "internal")
    assert "Broken" in capfd.readouterr().err
    monkeypatch.undo()
    bench.read(post(b"2"))
    assert bench.answers()[-1].body == b"2", "the connection goes on"
    other.data_received(post(b"3"))
    bench.clock.turn()
    assert written.written[-1].endswith(b"3")


def test_head_gets_no_body_even_where_its_answer_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    writer, respond = bench.shared.writer, bench.shared.writer.response
    monkeypatch.setattr(
        writer,
        "response",
        lambda response, *more, **options: respond(response, *more, **options) if response.status == 500 else fails(),
    )
    bench.read(get("/shows").replace(b"GET", b"HEAD"))
    answer = b"".join(bench.transport.written)
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert answer.endswith(b"\r\n\r\n")


def test_a_failed_answer_counts_for_the_variant_that_was_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    monkeypatch.setattr(bench.shared.writer, "answer", fails)
    bench.read(post(b"1", f"X-Amzn-SageMaker-Target-Variant: {VARIANTS[1]}"))
    assert (bench.counts.refusals[-1], bench.counts.variants[-1]) == ((500, "internal"), VARIANTS[1])


@pytest.mark.parametrize("what", ["writer", "transport", "flush"])
def test_a_caller_that_cannot_even_be_told_of_a_failure_is_cut_and_harms_no_other(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench()
    other, written = bench.connect()
    bench.connection.data_received(post(b"1") * (2 if what == "flush" else 1) + post(HOLD))
    other.data_received(post(b"2"))
    if what == "writer":
        monkeypatch.setattr(bench.shared.writer, "answer", lambda answer, *_: fails() if answer.body != b"2" else b"2")
        monkeypatch.setattr(bench.shared.writer, "response", fails)
    else:
        monkeypatch.setattr(bench.transport, "write", fails)
    bench.clock.turn()
    assert bench.transport.aborted
    assert bench.engine.cancelled == [HOLD], "what it still waits for is not computed"
    assert written.written[-1].endswith(b"2")
    bench.connection.connection_lost(None)
    monkeypatch.undo()
    other.data_received(post(b"3"))
    bench.clock.turn()
    assert written.written[-1].endswith(b"3")


@pytest.mark.parametrize("where", ["its head", "its body"])
def test_whatever_goes_wrong_while_a_request_is_read_is_a_500_and_the_end(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench()
    bench.read(post(HOLD))
    if where == "its head":
        monkeypatch.setattr(HeadMemory, "read", fails)
    else:
        monkeypatch.setattr(connection, "decoded", fails)
    bench.read(post(b"1", "Content-Encoding: gzip"))
    bench.engine.release()
    bench.clock.turn()
    held, answer = bench.answers()
    assert (held.body, answer.status, answer.headers["connection"]) == (HOLD, 500, "close")
    assert bench.counts.refusals == [(500, "internal")]


def test_an_observer_that_fails_costs_nobody_the_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    monkeypatch.setattr(bench.counts, "refused", fails)
    bench.read(get("/nowhere"), b"nonsense")
    assert [answer.status for answer in bench.answers()] == [404, 400]


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (get("/" + "x" * 9000), 414, "target_too_long"),
        (b"GET /" + b"x" * 20_000, 414, "target_too_long"),
        (get("/shows", "A: " + "x" * 17_000), 431, "headers_too_large"),
        (get("/shows", "A: " + "x" * 17_000)[:-4], 431, "headers_too_large"),
        (get("/shows", *[f"A{i}: x" for i in range(100)]), 431, "headers_too_large"),
        (CHUNKED + (b"1;" + b"x" * 250 + b"\r\n1\r\n") * 30, 431, "headers_too_large"),
        (CHUNKED + b"0\r\n" + b"A: x\r\n" * 2000 + b"\r\n", 431, "headers_too_large"),
        (CHUNKED + b"0\r\n" + b"A" * 300, 400, "malformed_request"),
        (b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", 405, "method_not_allowed"),
    ],
    ids=range(9),
)
def test_what_is_too_large_or_not_for_us_is_refused_and_closed(sent: bytes, status: int, code: str) -> None:
    bench = Bench()
    bench.read(sent + post(b"smuggled"))
    (answer,) = bench.answers()
    assert (answer.status, answer.error["code"], answer.headers["connection"]) == (status, code, "close")
    assert bench.engine.calls == []


MALFORMED = {
    "a bare line feed": b"GET / HTTP/1.1\nHost: x\n\n",
    "a bare line feed in the headers": b"GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n",
    "a bare line feed at the end": b"GET / HTTP/1.1\r\nHost: x\r\n\n",
    "a bare carriage return": b"GET / HTTP/1.1\r\nHost: x\rA: b\r\n\r\n",
    "a folded line": b"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n",
    "a folded length": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n 3\r\n\r\nabc",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    "a host that is none": b"GET / HTTP/1.1\r\nHost: a/b@c d\r\n\r\n",
    "two types": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\nContent-Type: c/d\r\n\r\n",
    "HTTP/0.9": b"GET /\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/1.2": b"GET / HTTP/1.2\r\nHost: x\r\n\r\n",
    "RTSP": b"DESCRIBE / RTSP/1.0\r\n\r\n",
    "TLS": bytes.fromhex("160301020001000001fc0303"),
    "a small method": b"get / HTTP/1.1\r\nHost: x\r\n\r\n",
    "an unknown method": b"FROBNICATE / HTTP/1.1\r\nHost: x\r\n\r\n",
    "two spaces": b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n",
    "a space behind the version": b"GET / HTTP/1.1 \r\nHost: x\r\n\r\n",
    "a tab": b"GET\t/\tHTTP/1.1\r\nHost: x\r\n\r\n",
    "a relative path": b"GET ping HTTP/1.1\r\nHost: x\r\n\r\n",
    "a byte above 127 in the path": b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    "a null": b"GET / HTTP/1.1\r\nHost: x\r\nA: a\0b\r\n\r\n",
    "a header without a name": b"GET / HTTP/1.1\r\n: x\r\n\r\n",
    "a header without a colon": b"GET / HTTP/1.1\r\nHost\r\n\r\n",
    "chunks with HTTP/1.0": b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a space behind a chunk size": CHUNKED + b"1 \r\n1\r\n0\r\n\r\n",
    "a line feed behind a chunk size": CHUNKED + b"1\n1\r\n0\r\n\r\n",
    "a line feed in an extension": CHUNKED + b"1;a=b\n\r\n1\r\n0\r\n\r\n",
    "a line feed behind a chunk": CHUNKED + b"1\r\n1\n0\r\n\r\n",
    "a chunk without its end": CHUNKED + b"1\r\n1XX0\r\n\r\n",
    "a huge chunk size": CHUNKED + b"fffffffffffffffff\r\n",
    "a trailer without a colon": CHUNKED + b"0\r\nx\r\n\r\n",
    "two empty lines": b"\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "a carriage return and more": b"\rGET / HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("sent", MALFORMED.values(), ids=MALFORMED)
@pytest.mark.parametrize("bytewise", [False, True], ids=["at once", "in single bytes"])
def test_what_is_not_http_is_a_400_that_says_so_and_the_end(sent: bytes, bytewise: bool) -> None:
    bench = Bench()
    parts = [bytes([byte]) for byte in sent] if bytewise else [sent]
    bench.read(*parts, post(b"smuggled"))
    (answer,) = bench.answers()
    assert (answer.status, answer.error["code"], answer.headers["connection"]) == (400, "malformed_request", "close")
    assert len(answer.error["message"]) > 20
    assert bench.engine.calls == []
    assert bench.transport.half_closed


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


def test_a_refused_small_body_is_passed_over_and_the_connection_goes_on() -> None:
    bench = Bench()
    refused = post(b"x" * 900, path="/nowhere")
    bench.read(refused + post(b"1"), refused[:-500], refused[-500:] + post(b"2"))
    assert [answer.status for answer in bench.answers()] == [404, 200, 404, 200]


@pytest.mark.parametrize("sent", [post(b"x" * 70_000, path="/nowhere"), CHUNKED.replace(b"invocations", b"nowhere")])
def test_a_refused_large_body_is_taken_in_for_a_while(sent: bytes) -> None:
    bench = Bench(drain_bytes=100_000)
    bench.read(sent[:100])
    (answer,) = bench.answers()
    assert (answer.status, answer.headers["connection"]) == (404, "close")
    assert bench.transport.half_closed
    bench.read(b"x" * 90_000)
    assert not bench.transport.closed
    bench.read(b"x" * 90_000)
    assert bench.transport.aborted


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
    gc.collect()
    gc.disable()
    try:
        bench.read(*requests * 50)
        assert gc.collect() < 20
    finally:
        gc.enable()
    assert [answer.status for answer in bench.answers()] == [200, 400, 200, 404] * 51
