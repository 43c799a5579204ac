"""The default front's connection without sockets: what it refuses, how it says so, and what becomes of the rest."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from serving.core.engine import Engine
from serving.core.service import Service
from serving.http import connection
from serving.http.memory import HeadMemory
from serving.observe import shared
from serving.observe.metrics import Observer
from tests.serving.http.harness import BUSY, HOLD, VARIANTS, Bench, get, post

CHUNKED = b"POST /invocations HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
Make = Callable[..., Bench]


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


@pytest.mark.parametrize("what", ["answer", "failure", "transport"])
@pytest.mark.parametrize("sent", ["car", "wrong", post(b"1", "Content-Encoding: br"), get("/shows"), get("/nowhere")])
def test_what_could_not_be_written_is_counted_once(
    what: str, sent: bytes | str, service: Service, car: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the 500 that it is, whether that could be told or not, and as no other status."""
    observer = Observer(shared.allocate(1))

    def make(call_soon: Any) -> Engine:
        engine = Engine(call_soon, observer=observer)
        engine.replace(service)
        return engine

    bench = Bench(make, observer)
    writer, respond = bench.shared.writer, bench.shared.writer.response
    if what == "transport":
        monkeypatch.setattr(bench.transport, "write", fails)
    else:
        monkeypatch.setattr(writer, "answer", fails)
        monkeypatch.setattr(
            writer,
            "response",
            lambda response, *more, **options: (
                respond(response, *more, **options) if (response.status, what) == (500, "answer") else fails()
            ),
        )
    rows = {"car": json.dumps(car).encode(), "wrong": b"{}"}
    bench.read(post(rows[sent]) if isinstance(sent, str) else sent)
    assert bench.transport.aborted == (what != "answer")
    families = text_string_to_metric_families(observer.text().decode())
    counted = {
        (sample.name, sample.labels.get("status") or sample.labels["reason"]): sample.value
        for family in families
        for sample in family.samples
        if sample.name in ("serving_requests_total", "serving_rejections_total") and sample.value
    }
    if what == "transport" and isinstance(sent, bytes):
        # It was counted before it was to be written; a page's answer is never counted.
        assert len(counted) == (0 if sent == get("/shows") else 2)
    else:
        assert counted == {("serving_requests_total", "500"): 1, ("serving_rejections_total", "internal"): 1}


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
