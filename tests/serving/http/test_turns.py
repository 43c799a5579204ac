"""What is answered at once, however much of it was read, leaves the event loop its turns."""

import contextlib
from typing import Any, cast

import pytest

from serving.core.errors import RequestError
from serving.http.chunks import ChunkedBody
from serving.http.connection import Connection
from serving.http.routes import Response, SiteContext
from tests.serving.http.harness import BUSY, HOLD, Bench, Ticket, Transport, get, post


@pytest.fixture
def bench() -> Bench:
    """/slow takes three milliseconds; a turn has five."""
    bench = Bench(pipelined=8)

    def slow(context: SiteContext) -> Response:
        bench.clock.now += 0.003
        return Response(body=context.query.encode())

    bench.shared.site.add("/slow", slow)
    return bench


def test_pipelined_requests_to_the_site_are_answered_over_many_turns_in_order(bench: Bench) -> None:
    bench.connection.data_received(b"".join(get(f"/slow?{i}") for i in range(40)))
    turns = 0
    while bench.shared.turns.over:
        before = len(bench.answers())
        assert not bench.transport.reading
        bench.clock.once()
        assert before < len(bench.answers()) <= before + 2
        turns += 1
    assert turns >= 19
    assert [int(answer.body) for answer in bench.answers()] == list(range(40))
    bench.clock.turn()
    assert bench.transport.reading


def test_what_has_to_wait_keeps_its_place_behind_calls_of_the_engine(bench: Bench) -> None:
    parts = [get("/slow?0"), post(HOLD), *(get(f"/slow?{i}") for i in range(1, 6)), post(b"last")]
    bench.connection.data_received(b"".join(parts))
    bench.clock.turn()
    assert [answer.body for answer in bench.answers()] == [b"0"]
    bench.engine.release()
    bench.clock.turn()
    assert [answer.body for answer in bench.answers()] == [b"0", HOLD, b"1", b"2", b"3", b"4", b"5", b"last"]


def test_one_turn_is_shared_by_all_connections_and_none_is_passed_over(bench: Bench) -> None:
    opened = [bench.connect() for _ in range(20)]
    for connection, _ in opened:
        connection.data_received(get("/slow?1") * 2)
    done: list[int] = []
    for _ in range(60):
        now = sum(len(transport.written) for _, transport in opened)
        assert now - sum(done) <= 3
        done.append(now - sum(done))
        bench.clock.once()
    assert sum(done) == 40
    assert all(transport.reading for _, transport in opened)


@pytest.mark.parametrize("size", [1, 20_000])
def test_refusals_of_the_engine_take_part_in_it(bench: Bench, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole requests with a head that is known, one on each connection."""
    bench.engine.service.spec.serving.max_body_bytes = 100_000
    bench.shared.tick()

    def refuse(_: Any, reply: Any) -> None:
        bench.clock.now += 0.003
        reply(RequestError("wrong_type", "wrong"))

    bench.read(post(b"1" * size))
    monkeypatch.setattr(bench.engine, "submit", refuse)
    opened = [bench.connect() for _ in range(20)]
    for connection, _ in opened:
        connection.data_received(post(b"1" * size))
    assert 1 <= sum(len(transport.written) for _, transport in opened) <= 3
    bench.clock.turn()
    assert sum(len(transport.written) for _, transport in opened) == 20


def test_a_body_of_very_many_chunks_takes_several_turns(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    feed = ChunkedBody.feed

    def slowly(body: ChunkedBody, data: bytes) -> int:
        bench.clock.now += 0.003
        return feed(body, data)

    monkeypatch.setattr(ChunkedBody, "feed", slowly)
    head = b"POST /shows HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    bench.connection.data_received(head + b"1\r\na\r\n" * 900 + b"0\r\n\r\n" + get("/slow?2"))
    assert bench.shared.turns.over
    assert not bench.transport.reading
    bench.clock.turn()
    shown, after = bench.answers()
    assert (shown.status, shown.body.count(b"a"), after.body) == (200, 900, b"2")


def test_a_stop_answers_what_waits_for_its_turn(bench: Bench) -> None:
    bench.connection.data_received(b"".join(get(f"/slow?{i}") for i in range(20)))
    bench.shared.stopping = bench.shared.closing = True
    bench.later(0.5)
    answers = bench.answers()
    assert [int(answer.body) for answer in answers] == list(range(20))
    assert [answer.headers.get("connection") for answer in answers][-2:] == [None, "close"]
    assert bench.transport.closed


def test_who_left_while_it_waited_is_forgotten(bench: Bench) -> None:
    bench.connection.data_received(get("/slow?1") * 10)
    written = len(bench.transport.written)
    bench.connection.connection_lost(None)
    bench.transport.closed = True
    bench.clock.turn()
    assert len(bench.transport.written) == written


def test_to_wait_for_a_turn_does_not_lengthen_the_time_of_a_body(bench: Bench) -> None:
    bench.connection.data_received(get("/slow?1") * 3 + post(b"12345")[:-1])
    bench.clock.turn()
    bench.later(21)
    bench.later(1)
    assert [answer.status for answer in bench.answers()] == [200, 200, 200, 408]


@pytest.fixture
def judged(bench: Bench) -> Bench:
    """The engine refuses what begins with "bad", which takes 50 milliseconds to find; all else takes none."""
    submit = bench.engine.submit

    def judge(call: Any, reply: Any) -> Any:
        if not call.body.startswith(b"bad"):
            return submit(call, reply)
        bench.clock.now += 0.05
        reply(RequestError("wrong_type", "wrong"))
        return Ticket(bench.engine, None, b"")

    cast("Any", bench.engine).submit = judge
    bench.engine.service.spec.serving.max_body_bytes = 100_000
    bench.shared.tick()
    return bench


Opened = list[tuple[Connection, Transport]]
FLOOD, GOOD, LARGE = post(b"bad"), post(b"good"), post(b"bad" + b" " * 50_000)


def flood(bench: Bench, request: bytes, times: int = 1) -> Opened:
    """Twenty connections, each of which was refused so many times and asks once more."""
    opened = [bench.connect() for _ in range(20)]
    for number in range(times):
        for connection, _ in opened:
            connection.data_received(request)
        if number < times - 1:
            bench.clock.turn()
    return opened


def answers(opened: Opened) -> int:
    return sum(b"".join(transport.written).count(b"HTTP/1.1 400") for _, transport in opened)


@pytest.mark.parametrize(("request_", "times"), [(FLOOD, 2), (LARGE, 1), (LARGE, 2)])
def test_who_was_not_refused_goes_before_a_flood_of_those_who_were(judged: Bench, request_: bytes, times: int) -> None:
    opened = flood(judged, request_, times)
    assert judged.shared.turns.over
    for served in range(10):
        before = judged.clock.now
        good, transport = judged.connect()
        good.data_received(GOOD)
        while not transport.written:
            judged.clock.once()
        assert transport.written[0].endswith(b"good")
        assert judged.clock.now - before < 0.11, f"two refusals at most, good request {served}"
    assert answers(opened) < 20 * times
    judged.clock.turn()
    assert answers(opened) == 20 * times, "none is forgotten"
    assert not judged.shared.turns.crowded


def test_who_was_refused_is_not_forgotten_while_others_come(judged: Bench) -> None:
    opened = flood(judged, FLOOD, 2)
    good = [judged.connect()[0] for _ in range(5)]
    turns = 0
    while answers(opened) < 40 and turns < 400:
        for connection in good:
            connection.data_received(get("/slow?1"))
        judged.clock.once()
        turns += 1
    assert answers(opened) == 40


def test_who_is_heard_in_full_stands_in_front_again(judged: Bench) -> None:
    connection, transport = judged.connect()
    connection.data_received(FLOOD)
    judged.clock.turn()
    assert connection.trusted is False
    opened = flood(judged, FLOOD, 2)
    connection.data_received(GOOD)
    judged.clock.turn()
    assert transport.written[-1].endswith(b"good")
    assert (connection.trusted, answers(opened)) == (True, 40)


def test_who_could_not_be_listened_to_keeps_its_place(judged: Bench) -> None:
    connection, _ = judged.connect()
    connection.data_received(FLOOD)
    judged.clock.turn()
    connection.data_received(post(BUSY))
    judged.clock.turn()
    assert connection.trusted is False, "a 503 says nothing of what was sent"


def test_a_large_body_that_comes_in_many_parts_stands_in_line_once(judged: Bench) -> None:
    def seconds(parts: int) -> float:
        floods = flood(judged, LARGE, 2)
        good, transport = judged.connect()
        whole = post(b"good" + b" " * 60_000)
        size = -(-len(whole) // parts)
        begun = judged.clock.now
        for start in range(0, len(whole), size):
            while not transport.reading:
                judged.clock.once()
            good.data_received(whole[start : start + size])
            for connection, flooding in floods:
                if flooding.reading:
                    connection.data_received(LARGE)
            judged.clock.once()
        while not transport.written:
            judged.clock.once()
        took = judged.clock.now - begun
        judged.clock.turn()
        return took

    assert seconds(20) < 2 * seconds(1)


def test_one_that_fails_keeps_nobody_from_a_turn(bench: Bench) -> None:
    turns, done = bench.shared.turns, list[int]()

    def fail() -> None:
        raise ZeroDivisionError

    for behind in (False, True):
        turns.spent()
        turns.wait(fail, behind=behind)
        turns.wait(lambda: done.append(1), behind=behind)
    for _ in range(60):
        with contextlib.suppress(ZeroDivisionError):
            bench.clock.once()
    assert (done, turns.crowded) == ([1, 1], False)
