"""What the default front does as a whole, over real sockets: it stops gracefully and bounds its connections."""

import socket
import time
from collections.abc import Callable
from concurrent.futures import Future

from tests.serving.http.harness import HOLD, PATIENCE, Server, post, until

Serve = Callable[..., Server]


def test_a_stop_finishes_what_has_begun_and_closes_what_is_idle(serve: Serve) -> None:
    server = serve(stop_seconds=0.05, tick_seconds=0.02)
    half = post(b"[1]")
    with server.connect() as idle, server.connect() as waiting, server.connect() as sending:
        assert idle.send(post(b"1")).answer().status == 200
        waiting.send(post(HOLD))
        # Of what comes in one read, the answer to the first tells that the half of the second is there, too.
        assert sending.send(post(b"0") + half[:-2]).answer().status == 200
        until(lambda: bool(server.engine.held) and server.counts.open == 3)
        stopped: Future[None] = server.stop_soon(PATIENCE)
        assert idle.closed()
        assert not stopped.done()
        answer = sending.send(half[-2:]).answer()
        assert (answer.body, answer.headers["connection"]) == (b"[1]", "close")
        server.release()
        answer = waiting.answer()
        assert (answer.body, answer.headers["connection"]) == (HOLD, "close")
        stopped.result(PATIENCE)
        assert waiting.closed()
    assert server.counts.open == 0


def test_a_stopping_front_answers_for_a_moment_whoever_still_comes(serve: Serve) -> None:
    server = serve(stop_seconds=1.0, tick_seconds=0.02)
    with server.connect() as first, server.connect() as second:
        first.send(post(b"1")).answer()
        second.send(post(b"1")).answer()
        stopped: Future[None] = server.stop_soon(PATIENCE)
        for client in (first, second):
            answer = client.send(post(b"2")).answer()
            assert (answer.body, answer.headers["connection"]) == (b"2", "close")
        stopped.result(PATIENCE)


def test_a_stop_cuts_what_does_not_end(serve: Serve) -> None:
    took: list[float] = []
    for _ in range(3):
        server = serve(stop_seconds=0.0, tick_seconds=0.02)
        with server.connect() as client:
            client.send(post(HOLD))
            until(lambda server=server: bool(server.engine.held))
            start = time.monotonic()
            server.stop(0.1)
            took.append(time.monotonic() - start)
            assert client.closed()
        assert server.engine.cancelled == [HOLD]
    assert min(took) < 2, "the machine may stand still meanwhile, but not each time"


def test_a_stopped_front_accepts_nobody_and_may_be_stopped_again(serve: Serve) -> None:
    server = serve(stop_seconds=0.0)
    server.stop()
    server.stop()
    try:
        with server.connect() as client:
            assert client.closed()
    except ConnectionRefusedError:
        pass
    assert server.counts.open == 0


def test_above_the_limit_of_connections_the_answer_is_503_until_one_closes(serve: Serve) -> None:
    server = serve(connections=2, drain_seconds=0.05, tick_seconds=0.02)
    with server.connect() as first:
        with server.connect() as second:
            until(lambda: server.counts.open == 2)
            with server.connect() as third:
                answer = third.answer()
                assert (answer.status, answer.error["code"]) == (503, "too_many_connections")
                assert answer.headers["connection"] == "close"
            assert second.send(post(b"1")).answer().status == 200
        until(lambda: server.counts.open == 1)
        with server.connect() as again:
            assert again.send(post(b"1")).answer().status == 200
        assert first.send(post(b"1")).answer().status == 200


def test_a_caller_that_reads_nothing_holds_nobody_up(serve: Serve) -> None:
    """The answers fill the sockets' buffers, then reading stops; once the caller reads, they are all there in order."""
    server = serve(pipelined=16)
    count = 2500
    with server.connect() as greedy, server.connect() as other:
        greedy.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        greedy.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        greedy.socket.settimeout(0.1)
        data = b"".join(post(b"%0900d" % i) for i in range(count))
        sent = 0
        try:
            while sent < len(data):
                sent += greedy.socket.send(data[sent : sent + 65536])
        except TimeoutError:
            pass
        assert sent < len(data)
        assert other.send(post(b"1")).answer().body == b"1"
        complete = sent // len(post(b"%0900d" % 0))
        greedy.socket.settimeout(PATIENCE)
        assert [int(greedy.answer().body) for _ in range(complete)] == list(range(complete))
