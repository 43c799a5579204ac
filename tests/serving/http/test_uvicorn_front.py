"""What uvicorn tells the application of its callers, over real sockets."""

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Any, cast

import pytest

from serving.http import uvicorn_front
from serving.http.asgi import Application
from tests.serving.http.harness import PATIENCE, Server, post

Serve = Callable[..., Server]


def test_a_caller_cannot_say_who_it_is(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    callers: list[object] = []

    class Watched(Application):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            callers.append(scope["client"])
            await super().__call__(scope, receive, send)

    monkeypatch.setattr(uvicorn_front, "Application", Watched)
    with serve("asgi").connect() as client:
        assert client.send(post(b"1", "X-Forwarded-For: 10.0.0.1", "X-Forwarded-Proto: https")).answer().status == 200
        assert callers == [client.socket.getsockname()]


def test_who_leaves_while_it_stands_in_line_is_not_decoded(serve: Serve) -> None:
    server = serve("asgi")
    submit, calls = server.engine.submit, server.engine.calls
    begun, sent, in_line, left = (threading.Event() for _ in range(4))

    def slow(call: Any, reply: Any) -> Any:
        begun.set()
        sent.wait(PATIENCE)
        time.sleep(0.02)
        if len(calls) == 3:  # all are in line then
            in_line.set()
            left.wait(PATIENCE)
        return submit(call, reply)

    with contextlib.ExitStack() as opened:
        clients = [opened.enter_context(server.connect()) for _ in range(10)]
        for client in clients:
            client.send(post(b"0")).answer()
        calls.clear()
        cast("Any", server.engine).submit = slow
        clients[0].send(post(b"1"))
        assert begun.wait(PATIENCE)
        for client in clients[1:-1]:
            client.send(post(b"1"))
        clients[-1].send(post(b"left"))
        sent.set()
        assert in_line.wait(PATIENCE)
        clients[-1].socket.close()
        left.set()
        assert [client.answer().status for client in clients[:-1]] == [200] * 9
        assert clients[0].send(post(b"2")).answer().status == 200
    assert [call.body for call in calls] == [b"1"] * 9 + [b"2"]
